import type { Disk } from "../../examples/raft-kv/raft/disk.js";
import type { Random } from "../../src/core/index.js";

/**
 * A disk in memory that forgets like a real one: `crash` keeps what was synced and, of what was not, what chance kept.
 */
export class MemoryDisk implements Disk {
  /** What was done to it, in order. */
  readonly operations: ("append" | "truncate" | "sync" | "close")[] = [];
  #buffer: Uint8Array;
  #length: number;
  #syncedLength: number;
  /** What was synced before a truncate that was not. */
  #uncut: Uint8Array | null = null;
  #failure: Error | null = null;

  constructor(content: Uint8Array = new Uint8Array()) {
    this.#buffer = new Uint8Array(content);
    this.#length = content.length;
    this.#syncedLength = content.length;
  }

  read(): Uint8Array {
    return new Uint8Array(this.#buffer.subarray(0, this.#length));
  }

  append(bytes: Uint8Array): void {
    this.#note("append");
    const length = this.#length + bytes.length;
    if (length > this.#buffer.length) {
      const grown = new Uint8Array(2 * length);
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
  }

  truncate(lengthBytes: number): void {
    this.#note("truncate");
    if (lengthBytes < this.#syncedLength) {
      this.#uncut ??= new Uint8Array(this.#buffer.subarray(0, this.#syncedLength));
      this.#syncedLength = lengthBytes;
    }
    this.#length = Math.min(this.#length, lengthBytes);
  }

  sync(): void {
    this.#note("sync");
    this.#syncedLength = this.#length;
    this.#uncut = null;
  }

  close(): void {
    this.operations.push("close");
  }

  /** Every write and sync from now on fails, as on a full or broken disk. */
  breakDown(error = new Error("EIO: i/o error, write")): void {
    this.#failure = error;
  }

  /**
   * The power goes. What was appended since the last sync stays up to a random byte, and half the time the end of that is
   * garbled or zeros; what was cut off since then may be back.
   * @returns the disk as the next process finds it
   */
  crash(random: Random): MemoryDisk {
    if (this.#uncut !== null && random.next() < 0.5) return new MemoryDisk(this.#uncut);
    const unsyncedBytes = this.#length - this.#syncedLength;
    const keptBytes = Math.floor(random.next() * (unsyncedBytes + 1));
    const content = this.read().subarray(0, this.#syncedLength + keptBytes);
    if (random.next() < 0.5) garble(content.subarray(this.#syncedLength), random);
    return new MemoryDisk(content);
  }

  #note(operation: "append" | "truncate" | "sync"): void {
    if (this.#failure !== null) throw this.#failure;
    this.operations.push(operation);
  }
}

function garble(bytes: Uint8Array, random: Random): void {
  const from = Math.floor(random.next() * bytes.length);
  const isZeros = random.next() < 0.5;
  for (let at = from; at < bytes.length; at++) bytes[at] = isZeros ? 0 : Math.floor(random.next() * 256);
}
