import type { Clock } from "../../core/index.js";

/** Waits for discovery to name servers. */
export class FirstServers {
  readonly #waiters = new Set<() => void>();

  constructor(private readonly clock: Clock) {}

  /** Resolves when `come` is called, or after the time. */
  wait(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel();
        this.#waiters.delete(wake);
        resolve();
      };
      const timer = this.clock.setTimer(wake, timeoutMs, { keepAlive: true });
      this.#waiters.add(wake);
    });
  }

  /** There are some, or there will be none. */
  come(): void {
    for (const wake of [...this.#waiters]) wake();
  }
}
