import type { Clock, Timer } from "../core/index.js";

/** How often running calls are looked after, in ms. */
const TICK_MS = 1_000;
/** A tick so much later than it should be means that the process, or the whole machine, was asleep. */
const ASLEEP_MS = 5_000;

export interface HousekeepingOwner {
  /** True while calls run. */
  isBusy(): boolean;
  /** True where something is to be looked after between calls, too, as long as the channel is not idle. */
  readonly isWatchful: boolean;
  /** About once a second while there is something to look after. */
  onTick(): void;
  /** So much time has passed that nobody knows whether the connections still stand. */
  onPause(cause: string): void;
  /** No call for `idleTimeoutMs`. */
  onIdle(): void;
}

/** An instant on both clocks: the monotonic one may stand still while a machine sleeps. */
interface Instant {
  readonly now: number;
  readonly epoch: number;
}

/** The one timer of a channel that nobody waits for: it ticks while calls run, then waits for the channel to be idle. */
export class Housekeeping {
  #tick: Timer | null = null;
  #idle: Timer | null = null;
  #tickedAt: Instant | null = null;
  /** When a call was last known to run, or to begin. */
  #usedAt: Instant | null = null;
  /** A call has begun since the last tick. */
  #wasUsed = false;

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
    if (this.#wasUsed) return;
    this.#wasUsed = true;
    this.#notePause(this.#usedAt, this.verifyAfterIdleMs);
    if (this.#tick === null) this.#startTick();
  }

  stop(): void {
    this.#tick?.cancel();
    this.#idle?.cancel();
    this.#tick = null;
    this.#idle = null;
  }

  #startTick(): void {
    this.#tickedAt = this.#instant();
    this.#tick = this.clock.setTimer(() => this.#onTick(), TICK_MS);
  }

  #onTick(): void {
    this.#tick = null;
    const isBusy = this.owner.isBusy();
    if (isBusy || this.#wasUsed) this.#noteUse();
    this.#wasUsed = false;
    this.#notePause(this.#tickedAt, this.verifyAfterIdleMs === null ? null : TICK_MS + ASLEEP_MS);
    if (!isBusy) this.#watchIdle();
    if (!isBusy && !this.owner.isWatchful) return;
    this.owner.onTick();
    this.#startTick();
  }

  #noteUse(): void {
    this.#usedAt = this.#instant();
    this.#idle?.cancel();
    this.#idle = null;
  }

  #notePause(since: Instant | null, limitMs: number | null): void {
    if (since === null || limitMs === null) return;
    const { now, epoch } = this.#instant();
    const pausedMs = Math.max(now - since.now, epoch - since.epoch);
    if (pausedMs >= limitMs) this.owner.onPause(`nothing was heard for ${Math.round(pausedMs)} ms`);
  }

  #watchIdle(): void {
    if (this.idleTimeoutMs === null) return;
    this.#idle ??= this.clock.setTimer(() => this.#onIdle(), this.idleTimeoutMs);
  }

  #onIdle(): void {
    this.#idle = null;
    // A call since the last tick: that tick will start this again.
    if (this.#wasUsed || this.owner.isBusy()) return;
    this.stop();
    this.owner.onIdle();
  }

  #instant(): Instant {
    return { now: this.clock.now(), epoch: this.clock.epoch() };
  }
}
