import type { Endpoint } from "../core/index.js";
import { EndpointPool, type PickFailure, type PoolDeps } from "../pool/index.js";
import type { ResolvedChannelOptions } from "./channel-options.js";
import { type EndpointStats, endpointStats } from "./channel-stats.js";
import type { Compression } from "./compression.js";

export type LaneDeps = Omit<PoolDeps, "isReadyElsewhere">;

/**
 * The pools of one target: a lane for most calls, which also gives the channel's connectivity state; one for each other
 * compression that a call has asked for, because grpc-js fixes it per channel; and one for calls with a response stream
 * where those have connections of their own. All have the same endpoints and share what is known of them; limits on
 * connections and streams hold for each lane by itself.
 */
export class Lanes {
  readonly main: EndpointPool;
  readonly #others = new Map<string, EndpointPool>();
  #endpoints: readonly Endpoint[] = [];
  /** Why no endpoints are known; null while they are, or may be soon. */
  #failure: PickFailure | null = null;
  #isConnecting = false;
  #isClosed = false;

  constructor(
    private readonly target: string,
    private readonly options: ResolvedChannelOptions,
    private readonly deps: LaneDeps,
  ) {
    this.main = this.#newPool(options.compression, deps);
  }

  /**
   * The lane of a call, made when it is first asked for.
   * @param compression what the call asks for; undefined for the channel's own
   */
  of(compression: Compression | undefined, isStream: boolean): EndpointPool {
    const { options } = this;
    const isOwn = compression === undefined || compression === options.compression;
    const isApart = isStream && options.separateStreams;
    if (isOwn && !isApart) return this.main;
    const algorithm = compression ?? options.compression;
    const key = isApart ? `${algorithm} streams` : algorithm;
    return this.#others.get(key) ?? (this.#isClosed ? this.main : this.#open(key, algorithm));
  }

  /** Calls that wait for an endpoint. */
  get callsQueued(): number {
    return [...this.#all()].reduce((sum, { queue }) => sum + queue.size, 0);
  }

  endpoints(): EndpointStats[] {
    return this.main.subchannels.map((subchannel) => {
      const twins = [...this.#others.values()].map((pool) => pool.at(subchannel.endpoint.address));
      return endpointStats(
        subchannel,
        twins.filter((twin) => twin !== undefined),
        this.deps.clock.now(),
      );
    });
  }

  /** READY in any lane, but for this one. */
  isReady(address: string, but: EndpointPool | null = null): boolean {
    for (const pool of this.#all()) if (pool !== but && pool.at(address)?.state === "READY") return true;
    return false;
  }

  /** READY endpoints, in whichever lane, that are kept out of use. */
  countOut(except: string, path: string | null): number {
    if (this.#others.size === 0) return this.main.countOut(except, path);
    return this.main.subchannels.filter(
      ({ endpoint: { address }, standing }) =>
        address !== except && standing.isOut(path) && this.isReady(address),
    ).length;
  }

  /** Applies a new endpoint set to every lane. */
  update(endpoints: readonly Endpoint[]): { added: string[]; removed: string[] } {
    this.#endpoints = endpoints;
    if (endpoints.length > 0) this.#failure = null;
    const change = this.main.update(endpoints);
    // A listener to what that told may have given a newer set.
    for (const pool of this.#others.values()) pool.update(this.#endpoints);
    return change;
  }

  /** @param failure null to let calls wait again */
  failPicks(failure: PickFailure | null): void {
    this.#failure = failure;
    this.each((pool) => pool.failPicks(failure));
  }

  connect(): void {
    this.#isConnecting = true;
    this.each((pool) => pool.connect());
  }

  each(act: (pool: EndpointPool) => void): void {
    for (const pool of this.#all()) act(pool);
  }

  /** Only the main lane stays, because after the pause nobody may ask for another again. */
  enterIdle(): void {
    this.#isConnecting = false;
    this.#failure = null;
    this.main.enterIdle();
    for (const pool of this.#others.values()) pool.drain(this.options.drainMs);
    this.#others.clear();
  }

  drain(drainMs: number): void {
    this.#isClosed = true;
    this.each((pool) => pool.drain(drainMs));
  }

  destroy(): void {
    this.#isClosed = true;
    this.each((pool) => pool.destroy());
  }

  #open(key: string, compression: Compression): EndpointPool {
    const { deps } = this;
    const pool = this.#newPool(compression, {
      ...deps,
      // Two stories of one endpoint's state would contradict each other; what happens to a connection is told all the same.
      events: { emit: (event) => event.type !== "endpoint.state" && deps.events.emit(event) },
      onState: () => {},
    });
    this.#others.set(key, pool);
    // Not in the context of the call that happened to be the first.
    deps.context.runInAsyncScope(() => {
      pool.update(this.#endpoints);
      if (this.#failure !== null) pool.failPicks(this.#failure);
      if (this.#isConnecting) pool.connect();
    });
    return pool;
  }

  #newPool(compression: Compression, deps: LaneDeps): EndpointPool {
    const pool: EndpointPool = new EndpointPool(this.target, this.options, {
      ...deps,
      makeChannel: (endpoint, address, credentials) =>
        deps.makeChannel(endpoint, address, credentials, compression),
      isReadyElsewhere: (address) => this.isReady(address, pool),
    });
    return pool;
  }

  *#all(): Iterable<EndpointPool> {
    yield this.main;
    yield* this.#others.values();
  }
}
