import type { Endpoint } from "../../src/core/index.js";
import type { Resolver, ResolverListener } from "../../src/discovery/index.js";

/** An address, or an endpoint with more than that. */
export type Given = string | Endpoint;

/** A resolver that says what the test tells it to, when the test tells it to. */
export class ScriptedSource implements Resolver {
  isWatching = false;
  refreshes = 0;
  isClosed = false;
  /** What a refresh brings, later in the same turn; nothing when absent. */
  onRefresh: (() => void) | null = null;
  #listener: ResolverListener | null = null;

  constructor(readonly target = "test:///source") {}

  get isStarted(): boolean {
    return this.#listener !== null;
  }

  start(listener: ResolverListener): void {
    this.#listener = listener;
  }

  refresh(): void {
    this.refreshes++;
    const act = this.onRefresh;
    if (act !== null) queueMicrotask(act);
  }

  close(): void {
    this.isClosed = true;
  }

  /** Also after the close, as a careless resolver would. */
  answer(...given: readonly Given[]): void {
    this.#listener?.onEndpoints(given.map((each) => (typeof each === "string" ? { address: each } : each)));
  }

  /** With something in the answer that is of no use. */
  answerWith(problem: string, ...addresses: readonly string[]): void {
    const endpoints = addresses.map((address) => ({ address }));
    this.#listener?.onEndpoints(endpoints, problem);
  }

  fail(message = "the registry is down"): void {
    this.#listener?.onError(new Error(message));
  }
}

/** So many addresses, each a host of its own: `numbered(2)` is `["n1:1", "n2:1"]`. */
export function numbered(count: number, from = 1): string[] {
  return Array.from({ length: count }, (_, n) => `n${from + n}:1`);
}
