import type { Clock } from "../core/index.js";

/**
 * The time as of the last look at the clocks, shared by the calls of a channel: each look costs as much as a pick, one
 * per turn is enough, and a number of its own for every call would cost each of them two objects.
 */
export class TurnClock {
  #now: number;
  #epoch: number;

  constructor(readonly clock: Clock) {
    this.#now = clock.now();
    this.#epoch = clock.epoch();
  }

  /** A turn began in which time may have passed. */
  read(): void {
    this.#now = this.clock.now();
    this.#epoch = this.clock.epoch();
  }

  /** Monotonic ms. */
  get now(): number {
    return this.#now;
  }

  /** Epoch ms. */
  get epoch(): number {
    return this.#epoch;
  }
}
