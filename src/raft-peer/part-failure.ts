import type { AppendEntriesRequest } from "../gen/raftpb/raft.js";
import { localFailure } from "./local-failure.js";
import type { PeerFailure } from "./raft-peer.js";

/**
 * The failure of one part as that of the whole request: once a part was sent, the server has run some of it, and only
 * an answer to the last part says that it has run all.
 */
export function partFailure(
  failure: PeerFailure,
  parts: readonly AppendEntriesRequest[],
  position: number,
): PeerFailure {
  const count = parts.length;
  if (count === 1) return failure;
  const isFirst = position === 0 && failure.processed === "no";
  const isLast = position === count - 1 && failure.processed === "yes";
  const processed = isFirst || isLast ? failure.processed : "maybe";
  const taken = parts[position - 1]?.entries.at(-1)?.index;
  const accepted = taken === undefined ? {} : { acceptedIndex: Number(taken) };
  return {
    ...failure,
    ...accepted,
    processed,
    details: `part ${position + 1} of ${count}: ${failure.details}`,
  };
}

/** One entry that no message can carry. */
export function entryTooLarge(
  { position, bytes }: { readonly position: number; readonly bytes: number },
  address: string,
  maxAppendBytes: number,
): PeerFailure {
  const details = `entries[${position}] alone makes a request of ${bytes} bytes for ${address}; maxAppendBytes allows ${maxAppendBytes}`;
  return localFailure("too-large", details);
}
