import { setTimeout as sleep } from "node:timers/promises";
import type { ServiceError } from "@grpc/grpc-js";
import type { Side } from "./sides.js";
import { type Method, type MethodReport, Tally } from "./tally.js";

/** Calls in flight per side. More would fill the retry throttle with the failures of one and the same fault. */
export const IN_FLIGHT = 4;
/** Each of them starts a call at most this often, so that the clients and not the CPU are what is measured. */
const PACE_MS = 20;
/** One call in this many is a Put, the others are Ranges. */
const PUT_EVERY = 10;
/** No divisor of `PUT_EVERY`, or the Puts would all write the same key. */
const KEYS = 7;

/** A mixed load of Ranges and Puts on one side, with its counts. */
export class Load {
  readonly #side: Side;
  readonly #tallies: Record<Method, Tally>;
  readonly #workers: Promise<void>[] = [];
  #isStopping = false;

  constructor(side: Side) {
    this.#side = side;
    const now = performance.now();
    this.#tallies = { Range: new Tally(now), Put: new Tally(now) };
    for (let worker = 0; worker < IN_FLIGHT; worker += 1) this.#workers.push(this.#work(worker));
  }

  tally(method: Method): Tally {
    return this.#tallies[method];
  }

  /** Starts no more calls. */
  stop(): void {
    this.#isStopping = true;
  }

  /** Starts no more calls, waits for those in flight, and reports. */
  async finish(): Promise<Record<Method, MethodReport>> {
    const at = performance.now();
    this.stop();
    await Promise.all(this.#workers);
    return { Range: this.#tallies.Range.finish(at), Put: this.#tallies.Put.finish(at) };
  }

  async #work(worker: number): Promise<void> {
    // Workers start in different places, or their Puts would all meet.
    for (let count = worker * 3; !this.#isStopping; count += 1) {
      const startedAt = performance.now();
      const method: Method = count % PUT_EVERY === PUT_EVERY - 1 ? "Put" : "Range";
      const error = await this.#call(method, count);
      this.#tallies[method].record(startedAt, performance.now(), error);
      await sleep(Math.max(0, startedAt + PACE_MS - performance.now()));
    }
  }

  #call(method: Method, count: number): Promise<ServiceError | null> {
    const { kv } = this.#side;
    const key = keyOf(this.#side.name, count % KEYS);
    const options = this.#side.callOptions();
    return new Promise((resolve) => {
      if (method === "Put") kv.Put({ key, value: Buffer.from(`value ${count}`) }, options, resolve);
      else kv.Range({ key }, options, resolve);
    });
  }
}

/** Writes the keys of one side in one transaction, unless they are there already. */
export function seed(side: Side): Promise<void> {
  const keys = Array.from({ length: KEYS }, (_, index) => keyOf(side.name, index));
  const request = {
    compare: [{ key: keys[0]!, result: "EQUAL", target: "VERSION", version: "0" }],
    success: keys.map((key) => ({ request_put: { key, value: Buffer.from("seed") } })),
  };
  return new Promise((resolve, reject) => {
    side.kv.Txn(request, side.callOptions(), (error) => (error ? reject(error) : resolve()));
  });
}

function keyOf(side: string, index: number): Buffer {
  return Buffer.from(`/holdfast-example/${side}/${index}`);
}
