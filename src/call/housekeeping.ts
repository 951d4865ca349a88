import type { Clock, Timer } from "../core/index.js";

/** How often running calls are looked after, in ms. */
const TICK_MS = 1_000;

export interface HousekeepingOwner {
  /** True while calls run. */
  isBusy(): boolean;
  /** About once a second while calls run. */
  onTick(): void;
  /** No call for `idleTimeoutMs`. */
  onIdle(): void;
}

/** The one timer of a channel that nobody waits for: it ticks while calls run, then waits for the channel to be idle. */
export class Housekeeping {
  #tick: Timer | null = null;
  #idle: Timer | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly idleTimeoutMs: number | null,
    private readonly owner: HousekeepingOwner,
  ) {}

  /** The channel is in use. Cheap, because every call says so. */
  wake(): void {
    this.#tick ??= this.clock.setTimer(() => this.#onTick(), TICK_MS);
  }

  stop(): void {
    this.#tick?.cancel();
    this.#idle?.cancel();
  }

  #onTick(): void {
    this.#tick = null;
    if (this.owner.isBusy()) {
      this.owner.onTick();
      this.wake();
    } else if (this.idleTimeoutMs !== null) this.#watchIdle(this.idleTimeoutMs);
  }

  #watchIdle(idleTimeoutMs: number): void {
    this.#idle?.cancel();
    this.#idle = this.clock.setTimer(() => {
      // A call since then has started the tick again, and the tick will start this again.
      if (this.#tick === null && !this.owner.isBusy()) this.owner.onIdle();
    }, idleTimeoutMs);
  }
}
