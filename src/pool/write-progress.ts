import type { Clock } from "../core/index.js";

/**
 * Notices that writes are stuck: a full send buffer towards a peer that is gone makes no error for minutes. A write
 * costs a flag; the clock is read only when `isStalled` is asked, which is to happen about once a second.
 */
export class WriteProgress {
  #pending = 0;
  /** A write began or ended since the last look. */
  #hasProgress = false;
  #progressAt = 0;
  #bytesAtProgress = 0;

  constructor(
    private readonly clock: Clock,
    private readonly bytesRead: () => number,
  ) {}

  started(): void {
    if (this.#pending++ === 0) this.#hasProgress = true;
  }

  ended(): void {
    this.#pending--;
    this.#hasProgress = true;
  }

  /** True when writes wait, and for `stallMs` since a look none was flushed and the peer was silent. */
  isStalled(stallMs: number): boolean {
    if (this.#pending === 0) return false;
    // A byte from the peer starts the time anew: it was alive then, which says nothing about the rest of a long stream.
    if (this.#hasProgress || this.bytesRead() !== this.#bytesAtProgress) {
      this.#hasProgress = false;
      this.#progressAt = this.clock.now();
      this.#bytesAtProgress = this.bytesRead();
    }
    return this.clock.now() - this.#progressAt >= stallMs;
  }
}
