import { status as Status } from "@grpc/grpc-js";
import type { Processed, Reason } from "../core/index.js";
import type { PeerFailure } from "./raft-peer.js";

/** What a failure that the peer itself finds says beside its details. */
const MEANINGS = {
  invalid: { code: Status.INTERNAL, reason: "CONFIG_INVALID", processed: "no" },
  "too-large": { code: Status.RESOURCE_EXHAUSTED, reason: "MESSAGE_TOO_LARGE", processed: "no" },
  closed: { code: Status.CANCELLED, reason: "CLIENT_CLOSED", processed: "no" },
  // The server did run it; only what it said is of no use.
  malformed: { code: Status.INTERNAL, reason: "REMOTE", processed: "yes" },
} as const satisfies Record<string, { code: Status; reason: Reason; processed: Processed }>;

/** A failure found on our side of the link. */
export function peerFailure(kind: keyof typeof MEANINGS, details: string): PeerFailure {
  return { ok: false, kind, ...MEANINGS[kind], details, ms: 0, attempts: [] };
}

/** What a thrown thing says, whatever it is. */
export function saidBy(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return "an error without a text";
  }
}
