import type { Clock, Timer, TimerOptions } from "../../src/core/index.js";

interface Pending {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
  readonly keepAlive: boolean;
}

/** A clock that stands still until a test moves it. Timers fire in order of their instants. */
export class ManualClock implements Clock {
  /** Far from zero, so that code that confuses the monotonic clock with the epoch is caught. */
  static readonly EPOCH_AT_ZERO = 1_700_000_000_000;
  #now = 1_000;
  #order = 0;
  readonly #pending = new Set<Pending>();

  now(): number {
    return this.#now;
  }

  epoch(): number {
    return ManualClock.EPOCH_AT_ZERO + this.#now;
  }

  setTimer(callback: () => void, delayMs: number, options: TimerOptions = {}): Timer {
    const entry: Pending = {
      at: this.#now + Math.max(0, delayMs),
      order: this.#order++,
      callback,
      keepAlive: options.keepAlive ?? false,
    };
    this.#pending.add(entry);
    return { cancel: () => void this.#pending.delete(entry) };
  }

  /** Timers not yet fired or cancelled: zero after a clean end. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** Of those, the ones that would keep a process alive. */
  get keepAliveTimers(): number {
    return [...this.#pending].filter((timer) => timer.keepAlive).length;
  }

  /** Moves time on, firing what falls due on the way; promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#pending.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
      await settle();
    }
    this.#now = end;
    await settle();
  }

  #next(end: number): Pending | undefined {
    return [...this.#pending]
      .filter((timer) => timer.at <= end)
      .sort((a, b) => a.at - b.at || a.order - b.order)[0];
  }
}

/** Lets promises and immediates that are due run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
