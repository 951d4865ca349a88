import type { LogEntry } from "holdfast";
import type { Disk } from "./disk.js";
import { decodeRecords, encodeRecord, LogCorruptError } from "./record.js";
import { decodeSaved, encodeSaved, type HardState } from "./saved-state.js";

export interface LoadedState extends HardState {
  /** The whole log, from index 1. */
  readonly entries: readonly LogEntry[];
  /** Bytes of a record torn by a crash, which were cut off; 0 when there was none. */
  readonly cutBytes: number;
}

/** Keeps what Raft must not forget. What `save` was given is on disk when it returns. */
export class RaftStorage {
  readonly #disk: Disk;
  #bytes = 0;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Reads everything back, and cuts off a torn tail.
   * @throws LogCorruptError when the file is damaged in a way that no crash explains
   */
  load(): LoadedState {
    const content = this.#disk.read();
    const replay = new Replay();
    const wholeBytes = decodeRecords(content, (payload) => replay.take(payload));
    const cutBytes = content.length - wholeBytes;
    if (cutBytes > 0) this.#disk.truncate(wholeBytes);
    // Also without a cut: the process may have died before its last sync, and others are about to hear of that record.
    this.#disk.sync();
    this.#bytes = wholeBytes;
    return { ...replay.state, entries: replay.entries, cutBytes };
  }

  /** Writes one record, so that all of it survives a crash or nothing. An entry at an existing index cuts the rest. */
  save(state: HardState, entries: readonly LogEntry[]): void {
    const record = encodeRecord(encodeSaved(state, entries), this.#bytes);
    this.#disk.append(record);
    this.#disk.sync();
    this.#bytes += record.length;
  }

  close(): void {
    this.#disk.close();
  }
}

/** Puts together what the records say, one after the other. */
class Replay {
  readonly entries: LogEntry[] = [];
  #state: HardState = { term: 0, votedFor: null };
  #records = 0;

  get state(): HardState {
    return this.#state;
  }

  take(payload: Uint8Array): void {
    const saved = decodeSaved(payload);
    const first = saved.entries[0]?.index;
    this.#records++;
    this.#state = saved.state;
    if (first === undefined) return;
    if (first < 1 || first > this.entries.length + 1) {
      throw new LogCorruptError(
        `the log is corrupt: record ${this.#records} goes on at index ${first} after index ${this.entries.length}`,
      );
    }
    this.entries.length = first - 1;
    for (const entry of saved.entries) this.entries.push(entry);
  }
}
