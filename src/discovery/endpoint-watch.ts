import { type Clock, type Endpoint, onAbort, type Timer } from "../core/index.js";
import type { Discovery } from "./discovery.js";

type Result = IteratorResult<readonly Endpoint[], undefined>;

/** Longer than any wait here. */
const FOREVER_MS = Number.MAX_SAFE_INTEGER;
const OVER: Result = { done: true, value: undefined };

/**
 * One run through the endpoints of a target, which is followed from the first `next()` on. There is one place for a set
 * that nobody has asked for: who is slow gets the newest, not all. Its timer keeps the process alive while somebody waits.
 */
export class EndpointWatch implements AsyncIterableIterator<readonly Endpoint[], undefined> {
  #discovery: Discovery | null = null;
  #isOver = false;
  #newest: readonly Endpoint[] | null = null;
  #waiting: ((result: Result) => void)[] = [];
  #hold: Timer | null = null;
  #forgetSignal = (): void => {};

  constructor(
    private readonly open: (onEndpoints: (endpoints: readonly Endpoint[]) => void) => Discovery,
    private readonly clock: Clock,
    private readonly signal: AbortSignal | undefined,
  ) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    if (this.signal?.aborted) this.#end();
    if (this.#isOver) return Promise.resolve(OVER);
    if (this.#discovery === null) this.#begin();
    const value = this.#newest;
    this.#newest = null;
    if (value !== null) return Promise.resolve({ done: false, value });
    this.#hold ??= this.clock.setTimer(() => {}, FOREVER_MS, { keepAlive: true });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Also ends a `next()` that waits. */
  return(): Promise<Result> {
    this.#end();
    return Promise.resolve(OVER);
  }

  #begin(): void {
    if (this.signal !== undefined) this.#forgetSignal = onAbort(this.signal, () => this.#end());
    this.#discovery = this.open((endpoints) => this.#onEndpoints(endpoints));
  }

  #onEndpoints(endpoints: readonly Endpoint[]): void {
    const resolve = this.#waiting.shift();
    if (resolve === undefined) this.#newest = endpoints;
    else resolve({ done: false, value: endpoints });
    if (this.#waiting.length === 0) this.#release();
  }

  #end(): void {
    this.#isOver = true;
    this.#discovery?.close();
    this.#forgetSignal();
    this.#release();
    for (const resolve of this.#waiting.splice(0)) resolve(OVER);
  }

  #release(): void {
    this.#hold?.cancel();
    this.#hold = null;
  }
}
