import { saidBy } from "../core/index.js";
import { endpointProblems } from "./check-endpoints.js";
import { ListenerGate } from "./listener-gate.js";
import { problemList } from "./problem-list.js";
import type { Resolver, ResolverListener } from "./resolver.js";

/**
 * A resolver of somebody else's: what it throws, and a set without one good endpoint, are failures of it and nothing worse;
 * single bad endpoints are left out and told. It is
 * not heard inside our calls to it, nor after its end. One that throws as it is made or started is not tried again; the
 * channel's next one is, when it has been idle.
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
    return this.#try(() => this.#inner?.isWatching) === true;
  }

  start(listener: ResolverListener): void {
    this.#gate.open(listener);
    this.#try(() => {
      const inner: unknown = this.create();
      if (!isResolver(inner)) throw new Error("its factory made no resolver: it has no function start");
      this.#inner = inner;
      return inner.start({
        onEndpoints: (endpoints, problem) => this.#onEndpoints(endpoints, problem),
        onError: (error) => this.#fail(error),
      });
    });
  }

  refresh(): void {
    this.#try(() => this.#inner?.refresh());
  }

  close(): void {
    this.#gate.close();
    const inner = this.#inner;
    this.#inner = null;
    this.#try(() => inner?.close());
  }

  /** Read at once, since the list is not ours. */
  #onEndpoints(given: unknown, problem: unknown): void {
    this.#try(() => {
      const { endpoints, problems } = endpointProblems(given);
      if (problems.length > 0 && endpoints.length === 0)
        throw new Error(`its resolver gave a set that is none: ${problemList(problems)}`);
      const all = typeof problem === "string" ? [problem, ...problems] : problems;
      queueMicrotask(() => this.#gate.endpoints(endpoints, all.length === 0 ? null : problemList(all)));
    });
  }

  #try<T>(act: () => T): T | undefined {
    try {
      const made = act();
      // One that is written with async functions rejects in place of throwing.
      if (isPromise(made)) made.then(undefined, (error: unknown) => this.#fail(error));
      return made;
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  /** Later, as all that it says, and so in its order: nobody is told inside start, refresh or close. */
  #fail(error: unknown): void {
    const told = error instanceof Error ? error : new Error(saidBy(error));
    queueMicrotask(() => this.#gate.error(told));
  }
}

function isPromise(given: unknown): given is PromiseLike<unknown> {
  return typeof given === "object" && given !== null && typeof Reflect.get(given, "then") === "function";
}

function isResolver(given: unknown): given is Resolver {
  return typeof given === "object" && given !== null && typeof Reflect.get(given, "start") === "function";
}
