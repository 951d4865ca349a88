import type { Clock } from "../core/index.js";

/**
 * Holds failures back until a while after their call began. A caller that repeats without a pause, as eraft's
 * replicators do, would else spin on a peer that refuses at once, and no timer of the process would fire.
 */
export class FailurePacing {
  readonly #clock: Clock;
  readonly #minMs: number;
  readonly #held = new Set<() => void>();

  constructor(clock: Clock, minMs: number) {
    this.#clock = clock;
    this.#minMs = minMs;
  }

  /** @param startedAt when the call that failed began, by the clock */
  async hold(startedAt: number): Promise<void> {
    const restMs = startedAt + this.#minMs - this.#clock.now();
    if (restMs <= 0) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#held.delete(end);
        resolve();
      };
      const timer = this.#clock.setTimer(end, restMs, { keepAlive: true });
      this.#held.add(end);
    });
  }

  /** Ends every wait now; those that begin later are not touched. */
  release(): void {
    for (const end of [...this.#held]) end();
  }
}
