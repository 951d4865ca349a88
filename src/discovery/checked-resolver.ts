import { endpointProblems } from "./check-endpoints.js";
import { ListenerGate } from "./listener-gate.js";
import type { Resolver, ResolverListener } from "./resolver.js";

/**
 * A resolver of somebody else's: what it throws, and endpoints that are none, are failures of it and nothing worse; what
 * it says after its end is not heard.
 */
export class CheckedResolver implements Resolver {
  readonly #gate: ListenerGate;
  #inner: Resolver | null = null;

  constructor(
    readonly target: string,
    private readonly create: () => Resolver,
  ) {
    this.#gate = new ListenerGate(target);
  }

  get isWatching(): boolean {
    return this.#try(() => this.#inner?.isWatching) ?? false;
  }

  start(listener: ResolverListener): void {
    this.#gate.open(listener);
    this.#try(() => {
      this.#inner = this.create();
      this.#inner.start({
        onEndpoints: (endpoints) => this.#onEndpoints(endpoints),
        onError: (error) => this.#gate.error(asError(error)),
      });
    });
  }

  refresh(): void {
    this.#try(() => this.#inner?.refresh());
  }

  close(): void {
    this.#gate.close();
    this.#try(() => this.#inner?.close());
    this.#inner = null;
  }

  #onEndpoints(given: unknown): void {
    const { endpoints, problems } = endpointProblems(given);
    if (problems.length === 0) this.#gate.endpoints(endpoints);
    else this.#gate.error(new Error(`its resolver gave a set that is none: ${problems.join("; ")}`));
  }

  #try<T>(act: () => T): T | undefined {
    try {
      return act();
    } catch (error) {
      // Later: nobody is told inside start, refresh or close.
      queueMicrotask(() => this.#gate.error(asError(error)));
      return undefined;
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
