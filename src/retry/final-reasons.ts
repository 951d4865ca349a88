import type { Reason } from "../core/index.js";

/** Ends that a repeat cannot change, or that the caller asked for. They come before R21: "unsent" would loop on them. */
export const FINAL_REASONS: ReadonlyMap<Reason, string> = new Map([
  ["CANCELLED", "the call was cancelled"],
  ["DEADLINE_EXCEEDED", "the deadline of the call passed"],
  ["CLIENT_CLOSED", "the client was closed"],
  ["MESSAGE_TOO_LARGE", "the message would be too large again"],
  ["METADATA_INVALID", "the metadata would be refused again"],
  ["CIRCUIT_OPEN", "what keeps calls away takes its time, and waiting for that is no retry"],
]);
