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
    const { payloads, wholeBytes } = decodeRecords(content);
    const cutBytes = content.length - wholeBytes;
    if (cutBytes > 0) this.#disk.truncate(wholeBytes);
    // Also without a cut: the process may have died before its last sync, and others are about to hear of that record.
    this.#disk.sync();
    this.#bytes = wholeBytes;
    return { ...replay(payloads), cutBytes };
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

function replay(payloads: readonly Uint8Array[]): HardState & { entries: LogEntry[] } {
  const entries: LogEntry[] = [];
  let state: HardState = { term: 0, votedFor: null };
  payloads.forEach((payload, position) => {
    const saved = decodeSaved(payload);
    const first = saved.entries[0]?.index;
    if (first !== undefined) {
      if (first < 1 || first > entries.length + 1) {
        throw new LogCorruptError(
          `the log is corrupt: record ${position + 1} goes on at index ${first} after index ${entries.length}`,
        );
      }
      entries.length = first - 1;
      for (const entry of saved.entries) entries.push(entry);
    }
    state = saved.state;
  });
  return { ...state, entries };
}
