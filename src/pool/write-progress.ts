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

  /** True when writes wait, none was flushed for `stallMs`, and the peer was silent all that time. */
  isStalled(stallMs: number): boolean {
    if (this.#pending === 0 || this.clock.now() - this.#progressAt < stallMs) return false;
    return this.bytesRead() === this.#bytesAtProgress;
  }

  #note(): void {
    this.#progressAt = this.clock.now();
    this.#bytesAtProgress = this.bytesRead();
  }
}
