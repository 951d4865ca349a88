import type { AsyncResource } from "node:async_hooks";
import type { ChannelCredentials } from "@grpc/grpc-js";
import type { Clock, ConnectivityWord, Endpoint, EventHub, HostLookup, Random } from "../core/index.js";
import { createResolver, type Resolver, type ValidTarget } from "../discovery/index.js";
import { EndpointPool, type InnerChannelFactory, PICKER_POLICIES, pickFailure } from "../pool/index.js";
import type { Backend } from "./backend.js";
import { Breakers } from "./breakers.js";
import type { ResolvedChannelOptions } from "./channel-options.js";
import { type EndpointStats, endpointStats } from "./channel-stats.js";
import { checkEndpoints } from "./check-endpoints.js";

export interface PoolBackendDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventHub;
  readonly lookup: HostLookup;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly credentials: ChannelCredentials;
  readonly makeChannel: InnerChannelFactory;
  readonly context: AsyncResource;
  onState(word: ConnectivityWord): void;
}

/** target -> resolver -> endpoint set -> pool, with a breaker for each endpoint. */
export class PoolBackend implements Backend {
  readonly target: string;
  readonly ownChannel = null;
  readonly transport: EndpointPool;
  #resolver: Resolver | null = null;
  #isAwake = false;
  #isClosed = false;
  /** True once the set was pushed by hand: the resolver has no say any more. */
  #isPushed = false;
  readonly mode: Backend["mode"];

  constructor(
    private readonly parsed: ValidTarget,
    private readonly options: ResolvedChannelOptions,
    private readonly deps: PoolBackendDeps,
  ) {
    this.target = parsed.canonical;
    this.mode = options.enabled ? "pool" : "disabled";
    const breakers = new Breakers(options.breaker, options.maxEjectionPercent, {
      ...deps,
      onChange: () => this.transport.reassess(),
      members: () =>
        this.transport.subchannels.map(({ endpoint, word, gate }) => ({
          address: endpoint.address,
          isReady: word === "READY",
          gate,
        })),
    });
    this.transport = new EndpointPool(parsed.canonical, options, {
      ...deps,
      policy: PICKER_POLICIES[options.loadBalancing],
      gateFor: (address) => breakers.gateFor(address),
      onTrouble: () => this.#resolver?.refresh(),
    });
  }

  wake(): void {
    if (this.#isAwake || this.#isClosed) return;
    this.#isAwake = true;
    this.deps.context.runInAsyncScope(() => {
      this.transport.connect();
      if (!this.#isPushed) this.#resolve();
    });
  }

  endpoints(): EndpointStats[] {
    return this.transport.subchannels.map(endpointStats);
  }

  updateEndpoints(endpoints: readonly (string | Endpoint)[]): void {
    const set = checkEndpoints(endpoints);
    this.#isPushed = true;
    this.#resolver?.close();
    this.#resolver = null;
    this.#apply(set);
  }

  resetBackoff(): void {
    this.transport.resetBackoff();
  }

  tick(): void {
    this.transport.checkWrites();
    // An open breaker has no timer: calls that wait for it ask again here.
    this.transport.queue.serveAll();
  }

  enterIdle(): void {
    this.#isAwake = false;
    this.#resolver?.close();
    this.#resolver = null;
    this.transport.enterIdle();
  }

  release({ drainMs }: { readonly drainMs: number }): void {
    this.#shut();
    this.transport.drain(drainMs);
  }

  destroy(): void {
    this.#shut();
    this.transport.destroy();
  }

  #shut(): void {
    this.#isClosed = true;
    this.#resolver?.close();
    this.#resolver = null;
  }

  #resolve(): void {
    const { events } = this.deps;
    events.emit({ type: "resolver.resolving", target: this.target });
    this.#resolver = createResolver(this.parsed, this.deps, this.options.discovery);
    this.#resolver.start({
      onEndpoints: (endpoints) => this.#apply(endpoints),
      onError: (error) => this.#onResolutionFailed(error),
    });
  }

  #apply(endpoints: readonly Endpoint[]): void {
    const { added, removed } = this.transport.update(endpoints);
    if (added.length + removed.length === 0) return;
    this.deps.events.emit({ type: "resolver.endpoints", added, removed, total: endpoints.length });
  }

  /** The last good set stays; only without one do calls fail. */
  #onResolutionFailed(error: Error): void {
    const keptEndpoints = this.transport.subchannels.length;
    this.deps.events.emit({ type: "resolver.failed", error: error.message, keptEndpoints });
    if (keptEndpoints > 0) return;
    this.transport.failPicks(pickFailure("DISCOVERY_FAILED", `${this.target}: ${error.message}`));
  }
}
