import { type Clock, Drain } from "../../core/index.js";

/** Work that can be told to end. */
export interface Endable {
  closeDown(): void;
}

/** What a Clerk has promised and not yet settled. */
export class Running {
  readonly #running = new Set<Endable>();
  readonly #drain: Drain;

  constructor(clock: Clock) {
    this.#drain = new Drain(clock);
  }

  add(work: Endable): void {
    this.#running.add(work);
  }

  remove(work: Endable): void {
    this.#running.delete(work);
    if (this.#running.size === 0) this.#drain.over();
  }

  endAll(): void {
    for (const work of [...this.#running]) work.closeDown();
  }

  /** Resolves when nothing runs any more; after `drainMs` `onExpired` is to end what still does. */
  drained(drainMs: number, onExpired: () => void): Promise<void> {
    return this.#running.size === 0 ? Promise.resolve() : this.#drain.wait(drainMs, onExpired);
  }
}
