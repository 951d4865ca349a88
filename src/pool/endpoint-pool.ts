import type { Endpoint } from "../core/index.js";
import { ConnectPlan } from "./connect-plan.js";
import type { KeeperDeps } from "./dialled-connections.js";
import { inPreferredOrder } from "./endpoint-order.js";
import { EndpointSet } from "./endpoint-set.js";
import { explainMiss, type PickFailure, whatIsMissing } from "./pick-failure.js";
import { PickQueue } from "./pick-queue.js";
import { PickerSet } from "./picker-set.js";
import type { Candidate, PickCall, PickFilter } from "./pickers/index.js";
import type { PickResult, PoolDeps } from "./pool-deps.js";
import { connectionsOf, type ResolvedPoolOptions } from "./pool-options.js";
import { type Readiness, readinessOf } from "./readiness.js";
import { ReconnectBackoff } from "./reconnect-backoff.js";
import { Subchannel } from "./subchannel.js";
import { SubchannelNews } from "./subchannel-news.js";

/** The endpoints of one target: kept connected, picked from, drained when they leave. */
export class EndpointPool extends SubchannelNews {
  readonly #set = new EndpointSet((endpoint) => this.#newSubchannel(endpoint));
  readonly queue = new PickQueue();
  #failure: PickFailure | null = null;
  #isConnecting = false;
  #isRefreshing = false;
  #isStale = false;
  readonly #pickers: PickerSet;
  readonly #plan: ConnectPlan;
  /** What all endpoints keep their connections with. */
  readonly #keeping: KeeperDeps;
  readonly #maxConnections: number;

  constructor(
    private readonly target: string,
    private readonly options: ResolvedPoolOptions,
    deps: PoolDeps,
  ) {
    super(deps);
    const { policy, clock, random } = deps;
    const { min, max } = connectionsOf(options);
    const { checkTimeoutMs } = options.suspicion;
    this.#maxConnections = max;
    // In this order: the options of a channel hold credentials of their own.
    this.#keeping = { ...options, ...deps, checkTimeoutMs, minConnections: min, maxConnections: max };
    this.#pickers = new PickerSet({
      policy,
      clock,
      random,
      zone: options.zone,
      slowStartMs: options.slowStartMs,
      maxStreams: options.maxStreamsPerConnection,
      ready: () => [...this.#set.ready].sort((a, b) => a.rank - b.rank),
      all: () => this.#set.order,
      isHopeful: () => this.#set.count("CONNECTING") > 0,
    });
    this.#plan = new ConnectPlan({
      clock,
      scope: policy.connects,
      limit: options.maxConnectedEndpoints,
      onDue: () => this.#refresh(),
    });
  }

  /** In the order of preference. */
  get subchannels(): readonly Subchannel[] {
    return this.#set.order;
  }

  /** READY endpoints that breakers or ejection keep out of use: what the panic floor counts. */
  countOut(except: string, path: string | null): number {
    let out = 0;
    for (const { endpoint, standing } of this.#set.ready) {
      if (endpoint.address !== except && standing.isOut(path)) out++;
    }
    return out;
  }

  /** The endpoint of this address, if it is in the set. */
  at(address: string): Subchannel | undefined {
    return this.#set.at(address);
  }

  /** Applies a new set: kept endpoints keep everything, new ones may connect, removed ones drain; duplicates are one (R110). */
  update(endpoints: readonly Endpoint[]): { added: string[]; removed: string[] } {
    const unique = [...new Map(endpoints.map((endpoint) => [endpoint.address, endpoint])).values()];
    const next = inPreferredOrder(unique, this.deps.policy, this.options.zone, this.deps.random);
    const { added, removed, dismissed } = this.#set.update(next);
    if (next.length > 0) this.#failure = null;
    if (dismissed.length + added.length > 0) this.#plan.stop();
    this.#pickers.invalidate();
    for (const subchannel of dismissed) subchannel.shutdown("removed from the endpoint set");
    this.#refresh();
    return { added, removed };
  }

  /** No set is known and none is coming soon: calls that do not wait for READY fail with this; null takes it back. */
  failPicks(failure: PickFailure | null): void {
    this.#failure = failure;
    this.#refresh();
  }

  /** Connects as the policy asks for, now and whenever a connection is lost. */
  connect(): void {
    this.#isConnecting = true;
    this.#refresh();
  }

  /**
   * Chooses where an attempt goes. Synchronous and free of allocations where an endpoint is ready.
   * @param tried endpoints this call has failed on: avoided while another one is usable
   */
  pick(call: PickCall, tried: PickFilter<Candidate> | null, isWaitingForReady: boolean): PickResult {
    const chosen = this.#pickers.choose(call, tried);
    const connection = chosen === null ? null : (chosen.free() ?? chosen.free(true));
    if (connection !== null) return connection;
    if (chosen !== null) return this.#connectPicked(chosen, call, tried);
    if (this.#set.grow(this.#maxConnections, call.path) || isWaitingForReady || this.#isPending)
      return "queue";
    const { target, deps } = this;
    return explainMiss(target, this.#set.order, this.#failure, call.path, deps.clock);
  }

  /** A policy that connects as picked wants this one; another may be READY, and do for a call that has no key. */
  #connectPicked(wanted: Subchannel, call: PickCall, tried: PickFilter<Candidate> | null): PickResult {
    if (wanted.state !== "IDLE") return "queue";
    wanted.connect();
    return this.#pickers.choose(call, tried)?.free() ?? "queue";
  }

  /** How far the endpoints are that connect without being asked for. */
  readiness(): Readiness {
    const { policy } = this.deps;
    return readinessOf(this.#set.order, policy, this.options.maxConnectedEndpoints, this.missing);
  }

  /** Connects one endpoint under a policy that connects as picked: somebody wants to know whether any can be reached. */
  connectOne(): void {
    this.#plan.ask();
    this.connect();
  }

  /** What a queued call waits for. */
  get missing(): string {
    const known = whatIsMissing(this.#set.order, this.options.maxStreamsPerConnection, this.deps.whyEmpty);
    return this.#failure?.details ?? known;
  }

  /** About once a second while calls run: looks for writes that got stuck, and for connections whose time is over. */
  tick(): void {
    const { writeStallMs } = this.options.suspicion;
    const now = this.deps.clock.now();
    this.eachReady((subchannel) => {
      subchannel.checkWrites(writeStallMs);
      if (this.options.maxConnectionAgeMs !== null) subchannel.checkAge(now);
    });
    // An open breaker has no timer: calls that wait for it ask again here.
    this.queue.serveAll();
  }

  /** For all that have connections; what is done may change which those are. */
  eachReady(act: (subchannel: Subchannel) => void): void {
    for (const subchannel of [...this.#set.ready]) act(subchannel);
  }

  /** A breaker, an ejection or a health changed: another endpoint may have to be connected, and calls that wait may go. */
  reassess(address: string): void {
    this.onStanding(this.#set.at(address));
  }

  /** Ends every wait for a redial, of one endpoint or of all. */
  resetBackoff(address?: string): void {
    for (const subchannel of this.#set.order) {
      if (address === undefined || address === subchannel.endpoint.address) subchannel.resetBackoff();
    }
  }

  /** Closes idle connections; the next call connects again. */
  enterIdle(): void {
    this.#isConnecting = false;
    this.#failure = null;
    this.#plan.end();
    for (const subchannel of this.#set.order) subchannel.drain("idle");
    this.#refresh();
  }

  drain(drainMs: number): void {
    this.#end((subchannel) => subchannel.shutdown("the channel was closed", drainMs));
  }

  destroy(): void {
    this.#end((subchannel) => subchannel.destroy());
  }

  // A subchannel's news

  onStanding(subchannel: Subchannel | undefined): void {
    if (subchannel === undefined || !this.#set.note(subchannel)) return;
    this.#pickers.invalidate();
    this.#refresh();
  }

  onRoom(): void {
    this.queue.serveRoom();
  }

  /** More may be usable soon. What the plan has left IDLE is not wanted. */
  get #isPending(): boolean {
    return this.#set.count("CONNECTING") > 0 || (!this.#isConnecting && this.#set.count("IDLE") > 0);
  }

  /** False where there is nobody left to connect: in an outage of thousands the plan would be asked in vain. */
  get #mayConnect(): boolean {
    return this.deps.policy.connects !== "all" || this.#set.count("IDLE") > 0;
  }

  #newSubchannel(endpoint: Endpoint): Subchannel {
    const backoff = new ReconnectBackoff(this.options.reconnectBackoff, this.deps.random);
    return new Subchannel(endpoint, this.deps.standingFor(endpoint.address), this, backoff, this.#keeping);
  }

  #end(each: (subchannel: Subchannel) => void): void {
    this.#isConnecting = false;
    this.#plan.end();
    for (const subchannel of this.#set.order) each(subchannel);
    this.#set.clear();
    this.#pickers.invalidate();
  }

  /** Connecting an endpoint changes its state, which asks for a refresh: that is one more round, not a recursion. */
  #refresh(): void {
    this.#isStale = true;
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    try {
      while (this.#isStale) {
        this.#isStale = false;
        if (this.#isConnecting && this.#mayConnect) this.#plan.step(this.#set.order);
        this.#updateWord();
      }
    } finally {
      this.#isRefreshing = false;
    }
    this.queue.serveAll();
  }

  #updateWord(): void {
    const next =
      this.#set.aggregate(this.deps.policy.connects === "picked") ??
      (this.#failure === null ? "CONNECTING" : "TRANSIENT_FAILURE");
    this.deps.onState(this.#isConnecting ? next : "IDLE");
  }
}
