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

/** What both clocks said: the monotonic one may stand still while a machine sleeps. */
class LastSeen {
  #now = Number.POSITIVE_INFINITY;
  #epoch = Number.POSITIVE_INFINITY;

  note(now: number, epoch: number): void {
    this.#now = now;
    this.#epoch = epoch;
  }

  /** Milliseconds since then, by the clock that went further; negative before the first. */
  msUntil(now: number, epoch: number): number {
    return Math.max(now - this.#now, epoch - this.#epoch);
  }
}

/** The one timer of a channel that nobody waits for: it ticks while calls run, then waits for the channel to be idle. */
export class Housekeeping {
  #tick: Timer | null = null;
  #idle: Timer | null = null;
  /** At the last tick, or call. */
  readonly #seen = new LastSeen();
  /** When a call was last known to run, or to begin. */
  readonly #used = new LastSeen();
  /** A call has begun since the last tick. */
  #wasUsed = false;
  #isOver = false;

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

  /**
   * The channel is in use. Cheap, because every call says so.
   * @param now monotonic ms
   */
  wake(now: number, epoch: number): void {
    this.#noteSleep(now, epoch);
    if (this.#wasUsed) return;
    this.#wasUsed = true;
    this.#notePause(this.#used.msUntil(now, epoch), this.verifyAfterIdleMs);
    if (this.#tick === null) this.#startTick();
  }

  stop(): void {
    this.#tick?.cancel();
    this.#idle?.cancel();
    this.#tick = null;
    this.#idle = null;
  }

  /** For good, whoever is in the middle of what. */
  end(): void {
    this.#isOver = true;
    this.stop();
  }

  #startTick(): void {
    if (this.#isOver) return;
    this.#tick = this.clock.setTimer(() => this.#onTick(), TICK_MS);
  }

  #onTick(): void {
    const [now, epoch] = [this.clock.now(), this.clock.epoch()];
    this.#noteSleep(now, epoch);
    this.#tick = null;
    const isBusy = this.owner.isBusy();
    if (isBusy || this.#wasUsed) {
      this.#used.note(now, epoch);
      this.#idle?.cancel();
      this.#idle = null;
    }
    this.#wasUsed = false;
    if (!isBusy) this.#watchIdle();
    if (!isBusy && !this.owner.isWatchful) return;
    this.owner.onTick();
    this.#startTick();
  }

  /** While it ticks, nobody can have been silent for long but the whole process. */
  #noteSleep(now: number, epoch: number): void {
    if (this.#tick !== null && this.verifyAfterIdleMs !== null) {
      this.#notePause(this.#seen.msUntil(now, epoch), TICK_MS + ASLEEP_MS);
    }
    this.#seen.note(now, epoch);
  }

  #notePause(pausedMs: number, limitMs: number | null): void {
    if (limitMs === null || pausedMs < limitMs) return;
    this.#used.note(this.clock.now(), this.clock.epoch());
    this.owner.onPause(`nothing was heard for ${Math.round(pausedMs)} ms`);
  }

  #watchIdle(): void {
    if (this.idleTimeoutMs === null || this.#isOver) return;
    this.#idle ??= this.clock.setTimer(() => this.#onIdle(), this.idleTimeoutMs);
  }

  #onIdle(): void {
    this.#idle = null;
    // A call since the last tick: that tick will start this again.
    if (this.#wasUsed || this.owner.isBusy()) return;
    this.stop();
    this.owner.onIdle();
  }
}
