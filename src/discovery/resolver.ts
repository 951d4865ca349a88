import type { ChannelFactory, Clock, Endpoint, HostLookup, Random } from "../core/index.js";

/** Who wants to know the endpoints of a target. Never called from inside `start`, `refresh` or `close`. */
export interface ResolverListener {
  /**
   * The source's answer: the whole set, replacing the one before. It may be empty, and it may equal the last one, which
   * says that the set still holds. What is done about either is the listener's business.
   * @param problem what of the answer is of no use, as a sentence; absent or null where all of it is
   */
  onEndpoints(endpoints: readonly Endpoint[], problem?: string | null): void;
  /** An attempt to resolve failed. Endpoints reported before stay the best knowledge there is. */
  onError(error: Error): void;
}

/** Turns a target into endpoints, again and again. Its constructor does no I/O. */
export interface Resolver {
  /** The target in canonical spelling. */
  readonly target: string;
  /**
   * True while the source itself would tell of a change, so that no news is good news. Where it is false or absent, an
   * answer that takes endpoints away is believed only when a second one says the same.
   */
  readonly isWatching?: boolean;
  /**
   * Does the first I/O and reports to this listener until `close()`.
   * @throws Error when it was started or closed before; one resolver serves one listener, once.
   */
  start(listener: ResolverListener): void;
  /** Asks for a new answer soon, within its own pace; free to call often, at any time. Nothing to do while it is watching. */
  refresh(): void;
  /** Stops for good: no event is delivered afterwards, no timer and no socket is left. May be called again. */
  close(): void;
}

/** What resolvers need of the world, so that tests can own it. */
export interface ResolverDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly lookup: HostLookup;
  /** Environment variables; read for HTTP proxies, and for what resolvers take from there. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For resolvers that ask over gRPC. */
  readonly openChannel: ChannelFactory;
}
