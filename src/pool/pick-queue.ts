/** A call that waits for a pick. */
export interface PickWaiter {
  /** Something changed: pick again. True when it no longer waits. */
  onPickable(): boolean;
}

/** Calls that wait for an endpoint, served in the order they came. */
export class PickQueue {
  readonly #waiters = new Set<PickWaiter>();
  #isServing = false;
  #isAskedAgain = false;

  get size(): number {
    return this.#waiters.size;
  }

  add(waiter: PickWaiter): void {
    this.#waiters.add(waiter);
  }

  remove(waiter: PickWaiter): void {
    this.#waiters.delete(waiter);
  }

  /** One more call fits: serves from the front until one has to go on waiting. */
  serveRoom(): void {
    if (this.#waiters.size > 0) this.#serve(false);
  }

  /** The endpoints changed: everyone picks again. */
  serveAll(): void {
    if (this.#waiters.size > 0) this.#serve(true);
  }

  /** Serving can end calls, which makes room, which asks for serving: that is one loop, not a recursion. */
  #serve(isForAll: boolean): void {
    if (this.#isServing) {
      this.#isAskedAgain ||= isForAll;
      return;
    }
    this.#isServing = true;
    try {
      this.#pass(isForAll);
      while (this.#isAskedAgain) {
        this.#isAskedAgain = false;
        this.#pass(true);
      }
    } finally {
      this.#isServing = false;
    }
  }

  #pass(isForAll: boolean): void {
    for (const waiter of [...this.#waiters]) {
      if (!this.#waiters.has(waiter)) continue;
      if (waiter.onPickable()) this.#waiters.delete(waiter);
      else if (!isForAll) return;
    }
  }
}
