import { type CallResult, type CounterClient, type UnaryOptions, unary } from "./counter-service.js";
import { Tally } from "./tally.js";

/** Unary calls at a steady rate, whatever becomes of them, as users make them. */
export class PacedLoad {
  readonly #sent = new Tally("calls sent");
  readonly #results: Promise<CallResult>[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(client: CounterClient, options: UnaryOptions, { everyMs = 10 } = {}) {
    this.#timer = setInterval(() => {
      this.#results.push(unary(client, "x", options));
      this.#sent.add();
    }, everyMs);
  }

  /** Calls made so far. */
  get count(): number {
    return this.#sent.count;
  }

  /** Resolves once `count` more calls have been made. */
  more(count: number): Promise<void> {
    return this.#sent.reached(this.count + count);
  }

  /** Makes no more calls; resolves with the ends of all, in the order they were made. */
  async stop(): Promise<CallResult[]> {
    this.close();
    return Promise.all(this.#results);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#sent.close();
  }
}
