import type { ResolvedConcurrencyLimitOptions } from "./concurrency-limit-options.js";

/** What becomes of a call that asks to run. */
export type Admission = "admitted" | "queued" | "refused";

/**
 * A fixed number of calls at once, and a bounded queue of those that wait. It decides only: whoever asks runs the
 * call, or waits until a `leave()` hands out its name.
 */
export class ConcurrencyLimit<Call extends object> {
  readonly #maxConcurrentCalls: number;
  readonly #maxQueuedCalls: number;
  #running = 0;
  #refused = 0;
  /** In order of arrival. */
  readonly #queue = new Set<Call>();

  constructor(options: Pick<ResolvedConcurrencyLimitOptions, "maxConcurrentCalls" | "maxQueuedCalls">) {
    this.#maxConcurrentCalls = options.maxConcurrentCalls;
    this.#maxQueuedCalls = options.maxQueuedCalls;
  }

  get running(): number {
    return this.#running;
  }

  get queued(): number {
    return this.#queue.size;
  }

  /** Calls refused since the start. */
  get refused(): number {
    return this.#refused;
  }

  /** Asks once per call. Every "admitted" is followed by one `leave()`, every "queued" by a turn or a `giveUp()`. */
  enter(call: Call): Admission {
    if (this.#running < this.#maxConcurrentCalls) {
      this.#running += 1;
      return "admitted";
    }
    if (this.#queue.size < this.#maxQueuedCalls) {
      this.#queue.add(call);
      return "queued";
    }
    this.#refused += 1;
    return "refused";
  }

  /** A call has ended. @returns the call whose turn it is now: it is admitted by this. */
  leave(): Call | null {
    for (const next of this.#queue) {
      this.#queue.delete(next);
      return next;
    }
    this.#running -= 1;
    return null;
  }

  /** A queued call does not want to wait any more; it loses its place. */
  giveUp(call: Call): void {
    this.#queue.delete(call);
  }
}
