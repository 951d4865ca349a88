import type { Leader } from "../clerk-api.js";
import type { KvServer } from "./server-set.js";

/** An attempt under way. */
export interface Sent {
  readonly kind: "sent";
  readonly leader: Leader;
  readonly server: KvServer;
  readonly at: number;
  readonly cancel: () => void;
}

/** What one operation is doing: waiting for a session, for a leader, for the end of a pause, or for an answer. */
export type Stage = { readonly kind: "queued" | "looking" | "pausing" | "over" } | Sent;

export const QUEUED: Stage = { kind: "queued" };
export const LOOKING: Stage = { kind: "looking" };
export const PAUSING: Stage = { kind: "pausing" };
export const OVER: Stage = { kind: "over" };
