import type { PeerFailure } from "./raft-peer.js";

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
