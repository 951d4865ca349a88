import type { AppendEntriesRequest, Entry } from "../gen/raftpb/raft.js";
import { appendHeaderBytes, entryFieldBytes, int64FieldBytes } from "./encoded-size.js";

/** The requests to send, one after another; or the first entry that fits no request, and the size of that request. */
export type AppendParts =
  | { readonly ok: true; readonly parts: readonly AppendEntriesRequest[] }
  | { readonly ok: false; readonly position: number; readonly bytes: number };

/** How a request becomes parts. */
export type SplitAppend = (request: AppendEntriesRequest, maxBytes: number, aimBytes: number) => AppendParts;

/**
 * Cuts a request into parts of at most `aimBytes` encoded bytes, each as long as it can be; an entry that is larger goes
 * alone, up to `maxBytes`. A request within `aimBytes` is passed as it is.
 *
 * A part's `leaderCommit` never passes its own last entry. eraft's followers commit up to their last index, whatever
 * entry that is: told a higher one before the rest has come, they would commit a stale tail that the rest replaces.
 */
export function splitAppend(
  request: AppendEntriesRequest,
  maxBytes: number,
  aimBytes: number = maxBytes,
): AppendParts {
  const sizes = request.entries.map(entryFieldBytes);
  const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
  const whole = appendHeaderBytes(request) + int64FieldBytes(request.leaderCommit) + total;
  if (whole <= Math.min(aimBytes, maxBytes) || sizes.length === 0) return { ok: true, parts: [request] };

  const parts: AppendEntriesRequest[] = [];
  for (let from = 0; from < sizes.length; ) {
    const part = partFrom(request, sizes, from, { maxBytes, aimBytes: Math.min(aimBytes, maxBytes) });
    if (!part.ok) return part;
    parts.push(part.request);
    from = part.end;
  }
  return { ok: true, parts };
}

type NextPart =
  | { readonly ok: true; readonly request: AppendEntriesRequest; readonly end: number }
  | { readonly ok: false; readonly position: number; readonly bytes: number };

function partFrom(
  request: AppendEntriesRequest,
  sizes: readonly number[],
  from: number,
  { maxBytes, aimBytes }: { readonly maxBytes: number; readonly aimBytes: number },
): NextPart {
  const { entries } = request;
  const before = entries[from - 1];
  const head =
    before === undefined ? request : { ...request, prevLogIndex: before.index, prevLogTerm: before.term };
  let bytes = appendHeaderBytes(head);
  let end = from;
  for (; end < sizes.length; end++) {
    const grown = bytes + (sizes[end] as number);
    const withCommit = grown + int64FieldBytes(commitUpTo(entries[end] as Entry, request));
    if (end > from && withCommit > aimBytes) break;
    if (withCommit > maxBytes) return { ok: false, position: end, bytes: withCommit };
    bytes = grown;
  }
  const leaderCommit = commitUpTo(entries[end - 1] as Entry, request);
  return { ok: true, end, request: { ...head, leaderCommit, entries: entries.slice(from, end) } };
}

function commitUpTo(last: Entry, { leaderCommit }: AppendEntriesRequest): bigint {
  return last.index < leaderCommit ? last.index : leaderCommit;
}
