import type { Clock } from "../core/index.js";

/** Notices that writes are stuck: a full send buffer towards a peer that is gone makes no error for minutes. */
export class WriteProgress {
  #pending = 0;
  #progressAt = 0;
  #bytesAtProgress = 0;

  constructor(
    private readonly clock: Clock,
    private readonly bytesRead: () => number,
  ) {}

  started(): void {
    if (this.#pending++ === 0) this.#note();
  }

  ended(): void {
    this.#pending--;
    this.#note();
  }

  /** True when writes wait, none was flushed for `stallMs`, and the peer was silent all that time. Ask regularly. */
  isStalled(stallMs: number): boolean {
    if (this.#pending === 0) return false;
    // A byte from the peer starts the time anew: it was alive then, which says nothing about the rest of a long stream.
    if (this.bytesRead() !== this.#bytesAtProgress) this.#note();
    return this.clock.now() - this.#progressAt >= stallMs;
  }

  #note(): void {
    this.#progressAt = this.clock.now();
    this.#bytesAtProgress = this.bytesRead();
  }
}
