import type { Clock } from "../../core/index.js";

/** Work that can be told to end. */
export interface Endable {
  closeDown(): void;
}

/** What a Clerk has promised and not yet settled. */
export class Running {
  readonly #running = new Set<Endable>();
  #onDrained: (() => void) | null = null;

  constructor(private readonly clock: Clock) {}

  add(work: Endable): void {
    this.#running.add(work);
  }

  remove(work: Endable): void {
    this.#running.delete(work);
    if (this.#running.size === 0) this.#onDrained?.();
  }

  endAll(): void {
    for (const work of [...this.#running]) work.closeDown();
  }

  /** Resolves when nothing runs any more; after `drainMs` `onExpired` is to end what still does. */
  drained(drainMs: number, onExpired: () => void): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.clock.setTimer(onExpired, drainMs, { keepAlive: true });
      this.#onDrained = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
