import type { PoolClient } from "../pool/clients.js";
import type { LoggedCall } from "./call-log.js";

const EVERY_MS = 10;
const DEADLINE_MS = 2_000;
const REQUEST = Buffer.alloc(100, "x");

/** A hundred calls a second of one client, whatever becomes of them, with a deadline of two seconds each. */
export class PacedCalls {
  readonly log: LoggedCall[] = [];
  readonly #running = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly client: PoolClient) {}

  /** Calls from now on, also those that a busy event loop made late. */
  start(): void {
    const startedAt = performance.now();
    let made = 0;
    this.#timer = setInterval(() => {
      for (; made * EVERY_MS <= performance.now() - startedAt; made++) this.#call();
    }, EVERY_MS);
  }

  /** No more calls; resolves when all have ended. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#running);
  }

  #call(): void {
    const startedAt = performance.now();
    const running = new Promise<void>((resolve) => {
      const call = this.client.stub.unary(REQUEST, { deadline: Date.now() + DEADLINE_MS }, (error) => {
        this.log.push({ startedAt, endedAt: performance.now(), isOk: error === null, peer: call.getPeer() });
        resolve();
      });
    });
    this.#running.add(running);
    void running.then(() => this.#running.delete(running));
  }
}
