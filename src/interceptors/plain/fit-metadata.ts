import { type Metadata, status as Status } from "@grpc/grpc-js";
import { metadataProblem } from "../../call/index.js";
import { saidBy } from "../../core/index.js";
import type { LocalFailure } from "./local-failure.js";

/** Codes that a failure of our own may have (R163); a callback's other codes become INTERNAL (R164). */
const LOCAL_CODES: readonly unknown[] = [
  Status.CANCELLED,
  Status.DEADLINE_EXCEEDED,
  Status.RESOURCE_EXHAUSTED,
  Status.UNAVAILABLE,
];

/** Why metadata must not be sent, or null. */
export function metadataFailure(metadata: Metadata, maxBytes: number): LocalFailure | null {
  const details = metadataProblem(metadata, maxBytes);
  return details === null ? null : { code: Status.INTERNAL, reason: "METADATA_INVALID", details };
}

/** A function of the user that was to give metadata threw, or its promise was rejected. */
export function callbackFailure(what: string, error: unknown): LocalFailure {
  const code: unknown = typeof error === "object" && error !== null ? Reflect.get(error, "code") : undefined;
  const isLocal = LOCAL_CODES.includes(code);
  const foreign = typeof code === "number" && !isLocal ? ` (code ${Status[code] ?? code})` : "";
  return {
    code: isLocal ? (code as Status) : Status.INTERNAL,
    reason: "METADATA_INVALID",
    details: `${what} failed${foreign}: ${saidBy(error)}`,
  };
}

/** Another copy of grpc-js has a class of its own. */
export function isMetadata(value: unknown): value is Metadata {
  return (
    typeof value === "object" &&
    value !== null &&
    ["get", "getMap", "clone"].every((key) => Reflect.has(value, key))
  );
}
