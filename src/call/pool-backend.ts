import type { AsyncResource } from "node:async_hooks";
import type { ChannelCredentials } from "@grpc/grpc-js";
import {
  type ChannelFactory,
  type Clock,
  type ConnectivityWord,
  configInvalid,
  type Endpoint,
  type EventHub,
  type HostLookup,
  type Random,
  Subscription,
} from "../core/index.js";
import { checkEndpoints, type ResolvedTarget, type SourceStats } from "../discovery/index.js";
import {
  type EndpointPool,
  guardCallCredentials,
  type InnerChannelFactory,
  innerChannelFactory,
  type KeepalivePace,
  type PickerPolicy,
  policyOf,
  type Readiness,
} from "../pool/index.js";
import type { Backend } from "./backend.js";
import type { ResolvedChannelOptions } from "./channel-options.js";
import type { EndpointStats } from "./channel-stats.js";
import type { Compression } from "./compression.js";
import { EndpointSource } from "./endpoint-source.js";
import { EndpointWatches } from "./endpoint-watches.js";
import type { FailureCounts } from "./failure-counts.js";
import { keepalivePace } from "./keepalive-warning.js";
import { Lanes } from "./lanes.js";
import { Standings } from "./standings.js";
import { subsetter } from "./subsetter.js";
import { warnOnce } from "./warn-once.js";

export interface PoolBackendDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventHub;
  readonly lookup: HostLookup;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For resolvers that ask over gRPC. */
  readonly openChannel: ChannelFactory;
  readonly failures: FailureCounts;
  readonly credentials: ChannelCredentials;
  /** True for a channel that nobody waits for. */
  readonly isBackground?: boolean | undefined;
  /** Replaces the transport below the pool; undefined for grpc-js. */
  readonly makeChannel: InnerChannelFactory | undefined;
  readonly context: AsyncResource;
  onState(word: ConnectivityWord): void;
}

/** targets -> discovery -> endpoint set -> its lanes, with a standing for each endpoint. */
export class PoolBackend implements Backend {
  readonly target: string;
  readonly ownChannel = null;
  readonly #lanes: Lanes;
  readonly #standings: Standings;
  readonly #pace: KeepalivePace | null;
  readonly #subset: (endpoints: readonly Endpoint[]) => readonly Endpoint[];
  readonly #source: EndpointSource;
  /** Sets given to the pool. */
  #applied = 0;
  #isAwake = false;
  #isClosed = false;
  readonly mode: Backend["mode"];

  constructor(
    targets: readonly ResolvedTarget[],
    canonical: string,
    private readonly options: ResolvedChannelOptions,
    private readonly deps: PoolBackendDeps,
  ) {
    this.target = canonical;
    this.mode = options.enabled ? "pool" : "disabled";
    const policy = policyOf(options.loadBalancing, (message) =>
      warnOnce("HOLDFAST_PICKER", message, message),
    );
    const onChange = (address: string): void => this.#lanes.each((pool) => pool.reassess(address));
    this.#standings = new Standings(options, {
      ...deps,
      watches: this.#watchesFor(policy, onChange),
      onChange,
      total: () => this.#lanes.main.subchannels.length,
      countOut: (except, path) => this.#lanes.countOut(except, path),
      isReady: (address) => this.#lanes.isReady(address),
    });
    this.#pace = keepalivePace(options, deps.events, this.target);
    this.#subset = subsetter(options.subsetting, deps.random);
    this.#lanes = new Lanes(canonical, options, {
      ...deps,
      credentials: () => deps.credentials,
      makeChannel: deps.makeChannel ?? innerChannelFactory(options, this.#pace),
      isBackground: deps.isBackground,
      isWatched: options.health !== undefined || policy.loadReports?.isOutOfBand === true,
      policy,
      standingFor: (address) => this.#standings.of(address),
      onTrouble: () => this.#source.refresh(),
      whyEmpty: () => this.#source.missing,
      onEndedByPeer: (livedMs) => this.#pace?.noteEnd(livedMs),
    });
    const lanes = this.#lanes;
    this.#source = new EndpointSource(canonical, targets, options.discovery, deps, {
      get inUse() {
        return lanes.main.subchannels.length;
      },
      apply: (endpoints) => this.#apply(endpoints),
      fail: (failure) => lanes.failPicks(failure),
    });
  }

  #watchesFor(policy: PickerPolicy, onChange: (address: string) => void): EndpointWatches | null {
    const { health, callCredentials } = this.options;
    if (health === undefined && policy.loadReports === undefined) return null;
    return new EndpointWatches(health ?? null, policy.loadReports ?? null, this.options, {
      ...this.deps,
      target: this.target,
      credentials: callCredentials === undefined ? null : guardCallCredentials(callCredentials),
      endpointAt: (address) => this.#lanes.main.at(address)?.endpoint ?? { address },
      onChange,
    });
  }

  get isWatchful(): boolean {
    return this.#standings.isWatchful;
  }

  get transport(): EndpointPool {
    return this.#lanes.main;
  }

  get callsQueued(): number {
    return this.#lanes.callsQueued;
  }

  transportFor(compression: Compression | undefined, isStream: boolean): EndpointPool {
    return this.#lanes.of(compression, isStream);
  }

  wake(): void {
    if (this.#isAwake || this.#isClosed) return;
    this.#isAwake = true;
    this.deps.context.runInAsyncScope(() => {
      this.#lanes.connect();
      if (!this.#isClosed) this.#source.start();
    });
  }

  endpoints(): EndpointStats[] {
    return this.#lanes.endpoints();
  }

  discovery(): readonly SourceStats[] {
    return this.#source.stats();
  }

  updateEndpoints(endpoints: readonly (string | Endpoint)[]): void {
    const set = checkEndpoints(endpoints);
    this.#source.push(set.length);
    this.#apply(set);
  }

  connectOne(): void {
    if (!this.#isClosed) this.#lanes.main.connectOne();
  }

  readiness(): Readiness {
    return this.#lanes.main.readiness();
  }

  resetBackoff(address?: string): void {
    this.#lanes.each((pool) => pool.resetBackoff(address));
  }

  tick(): void {
    this.#standings.tick(this.deps.clock.now());
    this.#lanes.each((pool) => pool.tick());
  }

  isolate(address: string): Subscription {
    // The kill switch leaves nothing to isolate, and must not make code throw that ran before.
    if (this.mode === "disabled") return new Subscription(() => {});
    const known = this.#lanes.main.subchannels;
    if (known.length > 0 && this.#lanes.main.at(address) === undefined) {
      const some = known.slice(0, 5).map(({ endpoint }) => endpoint.address);
      const those = `${some.join(", ")}${known.length > some.length ? ", ..." : ""}`;
      throw configInvalid(
        `isolate: ${JSON.stringify(address)} is no endpoint of ${this.target}; allowed: ${those}`,
      );
    }
    return this.#standings.isolate(address);
  }

  /** Replaces every connection without a call noticing. */
  rotate(cause: string): void {
    this.#lanes.each((pool) => {
      for (const endpoint of [...pool.subchannels]) endpoint.rotate(cause);
    });
  }

  verify(cause: string): void {
    this.#lanes.each((pool) => pool.eachReady((endpoint) => endpoint.verify(cause)));
  }

  enterIdle(): void {
    this.#isAwake = false;
    this.#source.pause();
    this.#lanes.enterIdle();
  }

  release({ drainMs }: { readonly drainMs: number }): void {
    this.#shut();
    this.#lanes.drain(drainMs);
  }

  destroy(): void {
    this.#shut();
    this.#lanes.destroy();
  }

  #shut(): void {
    this.#isClosed = true;
    this.#standings.close();
    this.#source.close();
  }

  #apply(endpoints: readonly Endpoint[]): void {
    const mine = ++this.#applied;
    const { added, removed } = this.#lanes.update(this.#subset(endpoints));
    // A listener to what that told may have put some back.
    const gone = removed.filter((address) => this.#lanes.main.at(address) === undefined);
    this.#standings.forget(gone);
    this.deps.failures.forget(gone);
    // A listener may have closed the channel as well.
    if (this.#isClosed || added.length + removed.length === 0) return;
    // Or has pushed another set, which has been told then.
    const total = mine === this.#applied ? endpoints.length : this.#lanes.main.subchannels.length;
    this.deps.events.emit({ type: "resolver.endpoints", added, removed, total });
  }
}
