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

/**
 * The failure of one part as that of the whole request: once a part was sent, the server has run some of it, and only
 * an answer to the last part says that it has run all.
 */
export function partFailure(failure: PeerFailure, position: number, count: number): PeerFailure {
  if (count === 1) return failure;
  const isFirst = position === 0 && failure.processed === "no";
  const isLast = position === count - 1 && failure.processed === "yes";
  const processed = isFirst || isLast ? failure.processed : "maybe";
  return { ...failure, processed, details: `part ${position + 1} of ${count}: ${failure.details}` };
}

/** What a thrown thing says, whatever it is. */
export function saidBy(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return "an error without a text";
  }
}
