import type { Clock, Timer } from "../core/index.js";

/** How often running calls are looked after, in ms. */
const TICK_MS = 1_000;
/** A tick so much later than it should be means that the process, or the whole machine, was asleep. */
const ASLEEP_MS = 5_000;

export interface HousekeepingOwner {
  /** True while calls run. */
  isBusy(): boolean;
  /** About once a second while calls run. */
  onTick(): void;
  /** So much time has passed that nobody knows whether the connections still stand. */
  onPause(cause: string): void;
  /** No call for `idleTimeoutMs`. */
  onIdle(): void;
}

/** The one timer of a channel that nobody waits for: it ticks while calls run, then waits for the channel to be idle. */
export class Housekeeping {
  #tick: Timer | null = null;
  #idle: Timer | null = null;
  /** When it last looked, on both clocks: the monotonic one may stand still while a machine sleeps. */
  #seen: { readonly now: number; readonly epoch: number } | null = null;

  /**
   * @param idleTimeoutMs null for never
   * @param verifyAfterIdleMs how long a pause between two calls may be; null for any length
   */
  constructor(
    private readonly clock: Clock,
    private readonly idleTimeoutMs: number | null,
    private readonly verifyAfterIdleMs: number | null,
    private readonly owner: HousekeepingOwner,
  ) {}

  /** The channel is in use. Cheap, because every call says so. */
  wake(): void {
    if (this.#tick !== null) return;
    this.#notePause(this.verifyAfterIdleMs);
    this.#startTick();
  }

  stop(): void {
    this.#tick?.cancel();
    this.#idle?.cancel();
  }

  #startTick(): void {
    this.#tick = this.clock.setTimer(() => this.#onTick(), TICK_MS);
  }

  #onTick(): void {
    this.#tick = null;
    this.#notePause(this.verifyAfterIdleMs === null ? null : TICK_MS + ASLEEP_MS);
    if (this.owner.isBusy()) {
      this.owner.onTick();
      this.#startTick();
    } else if (this.idleTimeoutMs !== null) this.#watchIdle(this.idleTimeoutMs);
  }

  #notePause(limitMs: number | null): void {
    const [now, epoch] = [this.clock.now(), this.clock.epoch()];
    const seen = this.#seen;
    this.#seen = { now, epoch };
    if (seen === null || limitMs === null) return;
    const pausedMs = Math.max(now - seen.now, epoch - seen.epoch);
    if (pausedMs >= limitMs) this.owner.onPause(`nothing was heard for ${Math.round(pausedMs)} ms`);
  }

  #watchIdle(idleTimeoutMs: number): void {
    this.#idle?.cancel();
    this.#idle = this.clock.setTimer(() => {
      // A call since then has started the tick again, and the tick will start this again.
      if (this.#tick === null && !this.owner.isBusy()) this.owner.onIdle();
    }, idleTimeoutMs);
  }
}
