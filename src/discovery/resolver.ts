import type { Clock, Endpoint, HostLookup, Random } from "../core/index.js";

/** Who wants to know the endpoints of a target. Never called from inside `start`, `refresh` or `close`. */
export interface ResolverListener {
  /** The whole set, never empty, replacing the one before. Called for a first set and then only for a different one. */
  onEndpoints(endpoints: readonly Endpoint[]): void;
  /** An attempt to resolve failed. Endpoints reported before stay the best knowledge there is. */
  onError(error: Error): void;
}

/** Turns a target into endpoints, again and again. Its constructor does no I/O. */
export interface Resolver {
  /** The target in canonical spelling. */
  readonly target: string;
  /**
   * Does the first I/O and reports to this listener until `close()`.
   * @throws Error when it was started or closed before; one resolver serves one listener, once.
   */
  start(listener: ResolverListener): void;
  /** Asks for a new answer soon, within its own pace; free to call often, at any time. */
  refresh(): void;
  /** Stops for good: no event is delivered afterwards, no timer is left. May be called again. */
  close(): void;
}

/** What resolvers need of the world, so that tests can own it. */
export interface ResolverDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly lookup: HostLookup;
  /** Environment variables; read for HTTP proxies. */
  readonly env: Readonly<Record<string, string | undefined>>;
}
