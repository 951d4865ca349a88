import { AsyncResource } from "node:async_hooks";
import { credentials } from "@grpc/grpc-js";
import {
  Breaker,
  breakerOptionsSchema,
  OutlierDetection,
  outlierEjectionOptionsSchema,
  PanicFloor,
} from "../../src/breaker/index.js";
import { type ConnectivityWord, type Endpoint, EventHub, type Subscription } from "../../src/core/index.js";
import { EndpointPool } from "../../src/pool/endpoint-pool.js";
import { pickFailure } from "../../src/pool/pick-failure.js";
import { policyOf } from "../../src/pool/pickers/registry.js";
import type { PickResult } from "../../src/pool/pool-deps.js";
import { poolOptionsSchema } from "../../src/pool/pool-options.js";
import type { Slot } from "../../src/pool/slot.js";
import { type HealthView, Standing } from "../../src/pool/standing.js";
import type { FakeChannel } from "../support/fake-channel.js";
import { FakeNetwork } from "../support/fake-network.js";
import { ManualClock } from "../support/manual-clock.js";
import { SeededRandom } from "../support/seeded-random.js";
import { CALL } from "./pool-bench.js";
import { type CallWorld, ModelCall } from "./pool-call.js";
import { PoolChecks } from "./pool-checks.js";
import type { Settings } from "./pool-steps.js";
import { PoolTruth } from "./pool-truth.js";

export const MAX_STREAMS = 2;
const DRAIN_MS = 5_000;
const CHECK_TIMEOUT_MS = 1_000;
const TICK_MS = 1_000;
const OUTLIERS = {
  intervalMs: 2_000,
  baseEjectionMs: 3_000,
  failurePercentage: { threshold: 50, minimumHosts: 2, requestVolume: 1 },
};

/** What is known of a server, with a breaker and a health that the world has in its hands. */
export interface Server {
  readonly address: string;
  readonly standing: Standing;
  readonly breaker: Breaker;
  readonly health: { status: HealthView["status"]; readonly watched: Set<unknown> };
  isolation: Subscription | null;
}

/** A pool with everything around it: a network, servers' standings as a channel keeps them, and calls. */
export class PoolWorld implements CallWorld {
  readonly clock = new ManualClock();
  readonly network = new FakeNetwork(this.clock);
  readonly truth = new PoolTruth(this.clock, CHECK_TIMEOUT_MS, DRAIN_MS);
  readonly calls: ModelCall[] = [];
  readonly servers = new Map<string, Server>();
  /** Attempts that run, by what they count for; those of endpoints that have left, too. */
  readonly inFlight = new Map<Standing, number>();
  /** R107: addresses that could not be connected, and were not READY since. */
  readonly failed = new Set<string>();
  readonly pool: EndpointPool;
  readonly checks: PoolChecks;
  word: ConnectivityWord = "IDLE";
  isAwake = false;
  /** The resolver could not say which endpoints there are. */
  hasResolutionFailed = false;
  readonly #floor: PanicFloor;
  readonly #outliers: OutlierDetection;
  readonly #random: SeededRandom;
  #tickedAt = 0;

  constructor(readonly settings: Settings) {
    this.#random = new SeededRandom(settings.seed);
    this.#floor = new PanicFloor(settings.maxEjectionPercent);
    this.checks = new PoolChecks(this);
    this.#outliers = new OutlierDetection(outlierEjectionOptionsSchema.parse(OUTLIERS), {
      random: this.#random,
      startedAt: this.clock.now(),
      mayEject: (address) => this.#mayTakeOut(address),
      onEject: (address) => this.checks.tookOut(address),
      onSpare: () => {},
      onUneject: () => {},
    });
    this.pool = this.#newPool();
  }

  get liveCalls(): ModelCall[] {
    return this.calls.filter(({ state }) => state === "waiting" || state === "running");
  }

  call(isPatient: boolean, tried: string | null = null): void {
    this.wake();
    this.calls.push(new ModelCall(this, isPatient, tried));
  }

  wake(): void {
    if (this.isAwake) return;
    this.isAwake = true;
    this.pool.connect();
  }

  /** Time passes, and while there are calls somebody looks after them once a second. */
  async wait(ms: number): Promise<void> {
    for (let left = ms; left > 0; ) {
      const isBusy = this.liveCalls.length > 0;
      const before = this.clock.now();
      if (before - this.#tickedAt >= TICK_MS || this.#tickedAt === 0) this.#tickedAt = before;
      const stepMs = isBusy ? Math.min(left, this.#tickedAt + TICK_MS - before) : left;
      await this.clock.advance(stepMs);
      this.truth.judge(before);
      left -= stepMs;
      if (!isBusy || this.clock.now() - this.#tickedAt < TICK_MS) continue;
      this.#tickedAt = this.clock.now();
      this.pool.tick();
    }
  }

  /** A resolver's word, as a channel takes it. */
  update(endpoints: readonly Endpoint[]): void {
    if (endpoints.length > 0) this.hasResolutionFailed = false;
    const { removed } = this.pool.update(endpoints);
    for (const address of removed) {
      this.servers.delete(address);
      this.#outliers.forget(address);
    }
  }

  failResolution(): void {
    this.hasResolutionFailed = true;
    this.pool.failPicks(pickFailure("DISCOVERY_FAILED", "no such name"));
  }

  /** Nobody has called for a long time. */
  sleep(): void {
    if (this.liveCalls.length > 0) return;
    this.isAwake = false;
    this.hasResolutionFailed = false;
    this.pool.enterIdle();
  }

  /** So much time has passed unnoticed that nobody knows which connections still stand. */
  pause(): void {
    for (const { connections } of this.pool.subchannels) this.truth.doubt(connections, true);
    this.pool.eachReady((subchannel) => subchannel.verify("a pause"));
  }

  /** The end of an interval of outlier detection. */
  sweep(): void {
    if (!this.#outliers.sweep(this.clock.now())) return;
    for (const address of this.servers.keys()) this.pool.reassess(address);
  }

  // What calls need

  pick(call: ModelCall): PickResult {
    const { tried } = call;
    const filter =
      tried === null
        ? null
        : { accepts: (candidate: { endpoint: Endpoint }) => candidate.endpoint.address !== tried };
    const result = this.pool.pick({ ...CALL, now: this.now() }, filter, call.isPatient);
    this.checks.picked(result, call);
    return result;
  }

  queue(call: ModelCall): void {
    this.pool.queue.add(call);
  }

  leaveQueue(call: ModelCall): void {
    this.pool.queue.remove(call);
  }

  now(): number {
    return this.clock.now();
  }

  hear(slot: Slot): void {
    this.truth.channelOf(slot).hear();
  }

  onStarted(slot: Slot): void {
    this.truth.count(slot, 1);
    this.inFlight.set(slot.standing, (this.inFlight.get(slot.standing) ?? 0) + 1);
  }

  onTimeout(slot: Slot, bytesAtStart: number): void {
    const membersNow = () => this.pool.at(slot.address)?.connections ?? [];
    if (!slot.isLost && slot.bytesRead === bytesAtStart) this.truth.noteSilence(slot, membersNow);
  }

  onEnded(slot: Slot): void {
    this.truth.count(slot, -1);
    this.inFlight.set(slot.standing, (this.inFlight.get(slot.standing) ?? 0) - 1);
  }

  #newPool(): EndpointPool {
    const { hasPriorities: _, seed: __, maxEjectionPercent: ___, ...drawn } = this.settings;
    const options = poolOptionsSchema.parse({
      ...drawn,
      maxStreamsPerConnection: MAX_STREAMS,
      drainMs: DRAIN_MS,
      suspicion: { checkTimeoutMs: CHECK_TIMEOUT_MS },
    });
    return new EndpointPool("static:///test", options, {
      clock: this.clock,
      credentials: () => credentials.createInsecure(),
      makeChannel: (endpoint, address, dialCredentials) => {
        const channel = this.network.makeChannel(endpoint, address, dialCredentials);
        this.truth.add(channel as FakeChannel);
        return channel;
      },
      lookup: this.network.lookup,
      isWatched: false,
      context: new AsyncResource("test"),
      random: this.#random,
      events: this.#listen(),
      policy: policyOf(options.loadBalancing, () => {}),
      standingFor: (address) => this.#serverAt(address).standing,
      onTrouble: () => {},
      onState: (word) => {
        this.word = word;
      },
    });
  }

  #listen(): EventHub {
    const events = new EventHub();
    events.subscribe((event) => {
      if (event.type !== "endpoint.state") return;
      const { endpoint, to, cause = "" } = event;
      const isDial = /ECONNREFUSED|within \d+ ms/.test(cause);
      if (to === "TRANSIENT_FAILURE" && isDial) this.failed.add(endpoint);
      else if (to !== "CONNECTING" && to !== "TRANSIENT_FAILURE") this.failed.delete(endpoint);
    });
    return events;
  }

  #serverAt(address: string): Server {
    const known = this.servers.get(address);
    if (known !== undefined) return known;
    const breaker = new Breaker(breakerOptionsSchema.parse({ consecutiveFailures: 2 }), {
      clock: this.clock,
      random: this.#random,
      mayOpen: () => this.#mayTakeOut(address),
      onChange: (_from, to) => {
        const server = this.servers.get(address);
        if (server?.breaker !== breaker) return;
        if (to === "open" && server.isolation === null) this.checks.tookOut(address);
        this.pool.reassess(address);
      },
    });
    const health: Server["health"] = { status: "serving", watched: new Set() };
    const view = {
      get status() {
        return health.status;
      },
      detail: "what the world says",
      add: (connection: unknown) => void health.watched.add(connection),
      remove: (connection: unknown) => void health.watched.delete(connection),
    };
    const tally = this.#outliers.tallyFor(address);
    const standing = new Standing({ gate: breaker, tally, makeHealth: () => view });
    const server = { address, standing, breaker, health, isolation: null };
    this.servers.set(address, server);
    return server;
  }

  #mayTakeOut(address: string): boolean {
    return this.#floor.allows(this.pool.subchannels.length, this.pool.countOut(address, null));
  }
}
