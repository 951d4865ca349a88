interface Waiter {
  readonly at: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A counter one can wait on: tests await the nth event instead of sleeping until it has probably happened. */
export class Tally {
  #count = 0;
  #closed = false;
  readonly #name: string;
  readonly #waiters = new Set<Waiter>();

  /** @param name what is counted, in the plural; it appears in the error of a wait that `close()` ends. */
  constructor(name: string) {
    this.#name = name;
  }

  get count(): number {
    return this.#count;
  }

  /** Counts one event, or `by` of them, and returns the new total. */
  add(by = 1): number {
    this.#count += by;
    for (const waiter of this.#waiters) {
      if (waiter.at > this.#count) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
    return this.#count;
  }

  /** Resolves once the total is at least `at`; rejects if the counter is closed before that. */
  reached(at: number): Promise<void> {
    if (this.#count >= at) return Promise.resolve();
    const reached = new Promise<void>((resolve, reject) => {
      if (this.#closed) reject(this.#neverReached(at));
      else this.#waiters.add({ at, resolve, reject });
    });
    // A test that has stopped waiting must not die of an unhandled rejection when its helper closes.
    reached.catch(() => {});
    return reached;
  }

  /** Ends every wait with an error that says how far the count came. */
  close(): void {
    this.#closed = true;
    for (const waiter of this.#waiters) waiter.reject(this.#neverReached(waiter.at));
    this.#waiters.clear();
  }

  #neverReached(at: number): Error {
    return new Error(`waited for ${at} ${this.#name}, but it closed after ${this.#count}`);
  }
}
