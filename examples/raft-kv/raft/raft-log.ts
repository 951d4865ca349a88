import type { LogEntry } from "holdfast";

/** Where the leader should go on, told by a follower whose log does not have the entry before the request's. */
export interface Conflict {
  readonly conflictIndex: number;
  /** -1 when the log is too short to have any entry there. */
  readonly conflictTerm: number;
}

/** The log in memory, whole. The first entry has index 1; index 0 stands for "before the first", with term 0. */
export class RaftLog {
  readonly #entries: LogEntry[];

  constructor(entries: readonly LogEntry[]) {
    this.#entries = [...entries];
  }

  get lastIndex(): number {
    return this.#entries.length;
  }

  get lastTerm(): number {
    return this.termAt(this.lastIndex);
  }

  /** Entries from this index on: so many at most, and so many bytes of commands, but one entry if there is any. */
  from(index: number, count: number, maxBytes: number): readonly LogEntry[] {
    let bytes = 0;
    let end = index - 1;
    for (; end < Math.min(this.#entries.length, index - 1 + count); end++) {
      bytes += this.at(end + 1).command.length;
      if (bytes > maxBytes && end > index - 1) break;
    }
    return this.#entries.slice(index - 1, end);
  }

  at(index: number): LogEntry {
    const entry = this.#entries[index - 1];
    if (entry === undefined) throw new RangeError(`no entry ${index} in a log of ${this.lastIndex}`);
    return entry;
  }

  termAt(index: number): number {
    return index === 0 ? 0 : this.at(index).term;
  }

  /** The last entry of this term at or before the index; null when there is none. */
  lastOfTerm(term: number, index: number): number | null {
    for (let at = Math.min(index, this.lastIndex); at > 0 && this.termAt(at) >= term; at--)
      if (this.termAt(at) === term) return at;
    return null;
  }

  /** Raft's rule for votes: the higher last term wins, then the longer log. */
  isUpToDate(lastLogIndex: number, lastLogTerm: number): boolean {
    if (lastLogTerm !== this.lastTerm) return lastLogTerm > this.lastTerm;
    return lastLogIndex >= this.lastIndex;
  }

  /** Null when this log has that entry, so that the leader's may follow it. */
  conflictAt(prevLogIndex: number, prevLogTerm: number): Conflict | null {
    if (prevLogIndex > this.lastIndex) return { conflictIndex: this.lastIndex + 1, conflictTerm: -1 };
    const conflictTerm = this.termAt(prevLogIndex);
    if (conflictTerm === prevLogTerm) return null;
    let conflictIndex = prevLogIndex;
    while (conflictIndex > 1 && this.termAt(conflictIndex - 1) === conflictTerm) conflictIndex--;
    return { conflictIndex, conflictTerm };
  }

  /** Those that are missing here or differ, and all after them. A late, shorter request thus cuts nothing off. */
  newAmong(entries: readonly LogEntry[]): readonly LogEntry[] {
    const known = entries.findIndex(
      ({ index, term }) => index > this.lastIndex || this.termAt(index) !== term,
    );
    return known < 0 ? [] : entries.slice(known);
  }

  /** Adds entries; the first may stand at an existing index, and what was there and after it goes. */
  append(entries: readonly LogEntry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    if (first.index < 1 || first.index > this.lastIndex + 1)
      throw new RangeError(`entry ${first.index} cannot follow a log of ${this.lastIndex}`);
    this.#entries.length = first.index - 1;
    for (const entry of entries) this.#entries.push(entry);
  }
}
