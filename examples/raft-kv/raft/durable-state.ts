import type { LogEntry } from "holdfast";
import { RaftLog } from "./raft-log.js";
import type { RaftStorage } from "./raft-storage.js";

/** Term, vote and log, in memory and on disk. Every change is on disk first: whoever can see it may tell others. */
export class DurableState {
  readonly log: RaftLog;
  /** Bytes of a torn record that were cut off when it was loaded. */
  readonly cutBytes: number;
  readonly #storage: RaftStorage;
  #term: number;
  #votedFor: number | null;

  /** @throws LogCorruptError when the file is damaged in a way that no crash explains */
  constructor(storage: RaftStorage) {
    const loaded = storage.load();
    this.#storage = storage;
    this.#term = loaded.term;
    this.#votedFor = loaded.votedFor;
    this.cutBytes = loaded.cutBytes;
    this.log = new RaftLog(loaded.entries);
  }

  get term(): number {
    return this.#term;
  }

  get votedFor(): number | null {
    return this.#votedFor;
  }

  get bytes(): number {
    return this.#storage.bytes;
  }

  vote(term: number, votedFor: number | null): void {
    this.#storage.save({ term, votedFor }, []);
    this.#term = term;
    this.#votedFor = votedFor;
  }

  append(entries: readonly LogEntry[]): void {
    this.#storage.save({ term: this.#term, votedFor: this.#votedFor }, entries);
    this.log.append(entries);
  }

  close(): void {
    this.#storage.close();
  }
}
