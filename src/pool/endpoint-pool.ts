import type { ConnectivityWord, Endpoint } from "../core/index.js";
import { aggregateState } from "./aggregate-state.js";
import { explainMiss, type PickFailure, whatIsMissing } from "./pick-failure.js";
import { PickQueue } from "./pick-queue.js";
import { PickerSet } from "./picker-set.js";
import type { PickFilter } from "./pickers/index.js";
import type { PickResult, PoolDeps } from "./pool-deps.js";
import type { ResolvedPoolOptions } from "./pool-options.js";
import { ReconnectBackoff } from "./reconnect-backoff.js";
import type { Incident } from "./slot.js";
import { Subchannel } from "./subchannel.js";
import type { SubchannelOwner, SubchannelView, SuspicionChange } from "./subchannel-owner.js";

/** The endpoints of one target: kept connected, picked from, drained when they leave. */
export class EndpointPool implements SubchannelOwner {
  readonly #subchannels = new Map<string, Subchannel>();
  readonly queue = new PickQueue();
  #failure: PickFailure | null = null;
  #isConnecting = false;
  #isRefreshing = false;
  #isStale = false;
  readonly #pickers: PickerSet;

  constructor(
    private readonly target: string,
    private readonly options: ResolvedPoolOptions,
    private readonly deps: PoolDeps,
  ) {
    this.#pickers = new PickerSet(deps.policy, deps.random, options.maxStreamsPerConnection);
  }

  get subchannels(): readonly Subchannel[] {
    return [...this.#subchannels.values()];
  }

  /** The endpoint of this address, if it is in the set. */
  at(address: string): Subchannel | undefined {
    return this.#subchannels.get(address);
  }

  /** Applies a new set: kept endpoints keep everything, new ones may connect, removed ones drain. */
  update(endpoints: readonly Endpoint[]): { added: string[]; removed: string[] } {
    const next = new Map(endpoints.map((endpoint) => [endpoint.address, endpoint]));
    const removed = this.subchannels.filter(({ endpoint }) => !next.has(endpoint.address));
    const added = endpoints.filter(({ address }) => !this.#subchannels.has(address));
    const kept = new Map(this.#subchannels);
    this.#subchannels.clear();
    for (const [address, endpoint] of next) {
      this.#subchannels.set(address, kept.get(address) ?? this.#newSubchannel(endpoint));
    }
    if (next.size > 0) this.#failure = null;
    for (const subchannel of removed) subchannel.shutdown("removed from the endpoint set");
    this.#refresh();
    return {
      added: added.map(({ address }) => address),
      removed: removed.map(({ endpoint }) => endpoint.address),
    };
  }

  /** No set is known and none is coming soon: calls that do not wait for READY fail with this. */
  failPicks(failure: PickFailure): void {
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
  pick(tried: PickFilter<Subchannel> | null, isWaitingForReady: boolean): PickResult {
    const chosen = this.#pickers.choose(tried);
    if (chosen !== null) return chosen;
    return explainMiss(
      this.target,
      this.subchannels,
      this.#failure,
      isWaitingForReady,
      this.deps.clock.now(),
    );
  }

  /** What a queued call waits for. */
  get missing(): string {
    return this.#failure?.details ?? whatIsMissing(this.subchannels, this.options.maxStreamsPerConnection);
  }

  /** Looks for writes that got stuck; called about once a second while calls run. */
  checkWrites(): void {
    const { writeStallMs } = this.options.suspicion;
    for (const subchannel of this.#subchannels.values()) {
      const { connection } = subchannel;
      if (connection?.isWriteStalled(writeStallMs)) {
        subchannel.suspect(
          connection,
          `a write was not flushed for ${writeStallMs} ms without a byte from the peer`,
        );
      }
    }
  }

  /** A breaker changed: another endpoint may have to be connected, and calls that wait may go. */
  reassess(): void {
    this.#refresh();
  }

  /** Ends every wait for a redial. */
  resetBackoff(): void {
    for (const subchannel of this.#subchannels.values()) subchannel.resetBackoff();
  }

  /** Closes idle connections; the next call connects again. */
  enterIdle(): void {
    this.#isConnecting = false;
    this.#failure = null;
    for (const subchannel of this.#subchannels.values()) subchannel.drain("idle");
    this.#refresh();
  }

  drain(drainMs: number): void {
    this.#isConnecting = false;
    for (const subchannel of this.#subchannels.values())
      subchannel.shutdown("the channel was closed", drainMs);
    this.#subchannels.clear();
  }

  destroy(): void {
    this.#isConnecting = false;
    for (const subchannel of this.#subchannels.values()) subchannel.destroy();
    this.#subchannels.clear();
  }

  // A subchannel's news

  onState(subchannel: SubchannelView, from: ConnectivityWord, to: ConnectivityWord, cause?: string): void {
    const { retryInMs } = subchannel;
    this.deps.events.emit({
      type: "endpoint.state",
      endpoint: subchannel.endpoint.address,
      from,
      to,
      ...(cause === undefined ? {} : { cause }),
      ...(retryInMs === null ? {} : { retryInMs: Math.round(retryInMs) }),
    });
    if (this.#subchannels.get(subchannel.endpoint.address) === subchannel) this.#refresh();
  }

  onDialFailed(subchannel: SubchannelView): void {
    this.#blame(subchannel);
    this.deps.onTrouble();
  }

  onLost(subchannel: SubchannelView, cause: string, callsInFlight: number, incident: Incident): void {
    const endpoint = subchannel.endpoint.address;
    this.deps.events.emit({ type: "connection.lost", endpoint, cause, callsInFlight });
    if (!incident.isCounted) this.#blame(subchannel);
    incident.isCounted = true;
    this.deps.onTrouble();
  }

  onDraining(subchannel: SubchannelView, cause: string): void {
    this.deps.events.emit({ type: "connection.draining", endpoint: subchannel.endpoint.address, cause });
    if (cause === "GOAWAY") this.deps.onTrouble();
  }

  onSuspicion(subchannel: SubchannelView, change: SuspicionChange): void {
    this.deps.events.emit({ ...change, endpoint: subchannel.endpoint.address });
    this.#refresh();
  }

  onRoom(): void {
    this.queue.serveRoom();
  }

  #blame({ endpoint, gate }: SubchannelView): void {
    if (this.deps.isReadyElsewhere?.(endpoint.address) !== true) gate.fail(false, true);
  }

  #newSubchannel(endpoint: Endpoint): Subchannel {
    const { connectTimeoutMs, drainMs, reconnectBackoff, suspicion } = this.options;
    const backoff = new ReconnectBackoff(reconnectBackoff, this.deps.random);
    const { checkTimeoutMs } = suspicion;
    const deps = { ...this.deps, connectTimeoutMs, drainMs, checkTimeoutMs };
    return new Subchannel(endpoint, this.deps.gateFor(endpoint.address), this, backoff, deps);
  }

  /** Connecting an endpoint changes its state, which asks for a refresh: that is one more round, not a recursion. */
  #refresh(): void {
    this.#isStale = true;
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    try {
      while (this.#isStale) {
        this.#isStale = false;
        this.#connectIdle();
        this.#pickers.swap(this.subchannels);
        this.#updateWord();
      }
    } finally {
      this.#isRefreshing = false;
    }
    this.queue.serveAll();
  }

  #connectIdle(): void {
    if (!this.#isConnecting) return;
    const limit = this.deps.policy.connects === "first" ? 1 : this.options.maxConnectedEndpoints;
    let connected = 0;
    for (const subchannel of this.#subchannels.values()) {
      if (connected >= limit) return;
      if (subchannel.word === "IDLE") subchannel.connect();
      if (subchannel.word === "CONNECTING" || subchannel.isGood) connected++;
    }
  }

  #updateWord(): void {
    const words = this.subchannels.map((subchannel) => subchannel.aggregateWord);
    const known = aggregateState(words);
    const next = known ?? (this.#failure === null ? "CONNECTING" : "TRANSIENT_FAILURE");
    this.deps.onState(this.#isConnecting ? next : "IDLE");
  }
}
