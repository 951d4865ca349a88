import type { LogEntry } from "holdfast";
import { LogCorruptError } from "./record.js";

/** What a node must never forget, beside its log: without it, it could vote twice in one term. */
export interface HardState {
  readonly term: number;
  /** Position of the candidate that has this term's vote; null while none has. */
  readonly votedFor: number | null;
}

export interface Saved {
  readonly state: HardState;
  readonly entries: readonly LogEntry[];
}

const HEAD_BYTES = 8 + 4 + 8 + 4;
const ENTRY_BYTES = 8 + 4;
const NO_VOTE = -1;

/** `[term u64][votedFor i32][first index u64][count u32]`, then `[term u64][length u32][command]` for each entry. */
export function encodeSaved(state: HardState, entries: readonly LogEntry[]): Uint8Array {
  const commandBytes = entries.reduce((sum, entry) => sum + entry.command.length, 0);
  const bytes = new Uint8Array(HEAD_BYTES + entries.length * ENTRY_BYTES + commandBytes);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(state.term));
  view.setInt32(8, state.votedFor ?? NO_VOTE);
  view.setBigUint64(12, BigInt(entries[0]?.index ?? 0));
  view.setUint32(20, entries.length);
  let at = HEAD_BYTES;
  for (const { term, command } of entries) {
    view.setBigUint64(at, BigInt(term));
    view.setUint32(at + 8, command.length);
    bytes.set(command, at + ENTRY_BYTES);
    at += ENTRY_BYTES + command.length;
  }
  return bytes;
}

/** @throws LogCorruptError when the bytes are not of this shape */
export function decodeSaved(bytes: Uint8Array): Saved {
  try {
    return decode(bytes);
  } catch (cause) {
    throw new LogCorruptError(
      `the log is corrupt: a whole record of ${bytes.length} bytes holds something else than Raft's state`,
      { cause },
    );
  }
}

function decode(bytes: Uint8Array): Saved {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const votedFor = view.getInt32(8);
  const firstIndex = Number(view.getBigUint64(12));
  const entries: LogEntry[] = [];
  let at = HEAD_BYTES;
  for (let left = view.getUint32(20); left > 0; left--) {
    const end = at + ENTRY_BYTES + view.getUint32(at + 8);
    const term = Number(view.getBigUint64(at));
    // A copy (a Buffer's slice is none): a view would keep the whole file in memory for as long as one entry lives.
    const command = new Uint8Array(bytes.subarray(at + ENTRY_BYTES, end));
    entries.push({ index: firstIndex + entries.length, term, command });
    at = end;
  }
  if (at !== bytes.length) throw new RangeError(`${bytes.length} bytes, of which ${at} are used`);
  const term = Number(view.getBigUint64(0));
  return { state: { term, votedFor: votedFor === NO_VOTE ? null : votedFor }, entries };
}
