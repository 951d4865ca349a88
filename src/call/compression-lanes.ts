import type { Endpoint } from "../core/index.js";
import { EndpointPool, PICKER_POLICIES, type PickFailure, type PoolDeps } from "../pool/index.js";
import type { ResolvedChannelOptions } from "./channel-options.js";
import { type EndpointStats, endpointStats } from "./channel-stats.js";
import type { Compression } from "./compression.js";

export type LaneDeps = Omit<PoolDeps, "policy" | "isReadyElsewhere">;

/**
 * The pools of one target: a lane for the channel's own compression, which also gives the channel's connectivity
 * state, and one for each other algorithm that a call has asked for, because grpc-js fixes it per channel. All have the
 * same endpoints and share their breakers; limits on connections and streams hold for each lane by itself.
 */
export class CompressionLanes {
  readonly main: EndpointPool;
  readonly #others = new Map<Compression, EndpointPool>();
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

  /** The lane of an algorithm, made when it is first asked for. */
  of(compression: Compression): EndpointPool {
    if (compression === this.options.compression) return this.main;
    return this.#others.get(compression) ?? (this.#isClosed ? this.main : this.#open(compression));
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
      );
    });
  }

  isReady(address: string): boolean {
    return [...this.#all()].some((pool) => isReadyIn(pool, address));
  }

  /** Applies a new endpoint set to every lane. */
  update(endpoints: readonly Endpoint[]): { added: string[]; removed: string[] } {
    this.#endpoints = endpoints;
    if (endpoints.length > 0) this.#failure = null;
    const change = this.main.update(endpoints);
    for (const pool of this.#others.values()) pool.update(endpoints);
    return change;
  }

  failPicks(failure: PickFailure): void {
    this.#failure = failure;
    for (const pool of this.#all()) pool.failPicks(failure);
  }

  connect(): void {
    this.#isConnecting = true;
    for (const pool of this.#all()) pool.connect();
  }

  reassess(): void {
    for (const pool of this.#all()) pool.reassess();
  }

  resetBackoff(): void {
    for (const pool of this.#all()) pool.resetBackoff();
  }

  /** About once a second while calls run. */
  tick(): void {
    for (const pool of this.#all()) {
      pool.checkWrites();
      // An open breaker has no timer: calls that wait for it ask again here.
      pool.queue.serveAll();
    }
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
    for (const pool of this.#all()) pool.drain(drainMs);
  }

  destroy(): void {
    this.#isClosed = true;
    for (const pool of this.#all()) pool.destroy();
  }

  #open(compression: Compression): EndpointPool {
    const { deps } = this;
    const pool = this.#newPool(compression, {
      ...deps,
      // Two stories of one endpoint's state would contradict each other; what happens to a connection is told all the same.
      events: { emit: (event) => event.type !== "endpoint.state" && deps.events.emit(event) },
      onState: () => {},
    });
    this.#others.set(compression, pool);
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
      policy: PICKER_POLICIES[this.options.loadBalancing],
      makeChannel: (endpoint, address, credentials) =>
        deps.makeChannel(endpoint, address, credentials, compression),
      isReadyElsewhere: (address) =>
        [...this.#all()].some((other) => other !== pool && isReadyIn(other, address)),
    });
    return pool;
  }

  *#all(): Iterable<EndpointPool> {
    yield this.main;
    yield* this.#others.values();
  }
}

function isReadyIn(pool: EndpointPool, address: string): boolean {
  return pool.at(address)?.word === "READY";
}
