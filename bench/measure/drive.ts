import type { Call } from "../stacks/index.js";

/** How a slice of calls is made. */
export interface Load {
  readonly calls: number;
  readonly inFlight: number;
  /**
   * How the calls after the first ones begin: always from a fresh stack, as after an `await`. Begun inside the callback
   * of an earlier call, `new Error()` in grpc-js's `Client` would charge a stack for every frame it has on the stack.
   */
  readonly defer: (callback: () => void) => void;
}

const REQUEST = Buffer.alloc(100, "x");

/** Makes the calls of one slice. @throws the first error of a call: numbers with failures in them mean nothing. */
export function drive(call: Call, load: Load): Promise<void> {
  return new Promise((resolve, reject) => new Driver(call, load, resolve, reject).refill());
}

/** Allocates per slice, never per call, so that the bytes it counts are the stack's. */
class Driver {
  #started = 0;
  #ended = 0;
  #isRefillDue = false;
  readonly refill = (): void => this.#refill();
  readonly #done = (error: Error | null): void => this.#onDone(error);

  constructor(
    private readonly call: Call,
    private readonly load: Load,
    private readonly resolve: () => void,
    private readonly reject: (error: Error) => void,
  ) {}

  #refill(): void {
    this.#isRefillDue = false;
    const { calls, inFlight } = this.load;
    const limit = Math.min(calls, this.#ended + inFlight);
    while (this.#started < limit) {
      this.#started++;
      this.call(REQUEST, this.#done);
    }
  }

  #onDone(error: Error | null): void {
    if (error !== null) return this.reject(error);
    this.#ended++;
    if (this.#ended === this.load.calls) return this.resolve();
    if (this.#isRefillDue || this.#started === this.load.calls) return;
    this.#isRefillDue = true;
    this.load.defer(this.refill);
  }
}
