import { AsyncResource } from "node:async_hooks";
import {
  type Clock,
  Closable,
  type CloseOptions,
  type CommandIds,
  type Endpoint,
  EventHub,
  type Subscription,
} from "../../core/index.js";
import type { Clerk, ClerkEvent, ClerkStats, Leader, OperationOptions, ServerStatus } from "../clerk-api.js";
import type { ResolvedClerkOptions } from "../clerk-options.js";
import type { KvOperation } from "../kv-messages.js";
import { checkOperation, checkOptions } from "./check-operation.js";
import type { ClerkCore } from "./clerk-core.js";
import type { ClerkParts } from "./clerk-parts.js";
import { FirstServers } from "./first-servers.js";
import { type Attempting, InFlight } from "./in-flight.js";
import { askStatus } from "./kv-calls.js";
import { LeaderCache } from "./leader-cache.js";
import { LeaderFinder } from "./leader-finder.js";
import { LeaderRequest } from "./leader-request.js";
import { Operation } from "./operation.js";
import { clerkClosed } from "./operation-error.js";
import { type Endable, Running } from "./running.js";
import type { ServerDiscovery, ServersListener } from "./server-discovery.js";
import { type KvServer, ServerSet } from "./server-set.js";
import { serverStatus } from "./server-status.js";
import { checkedId, SessionPool } from "./sessions.js";

const DRAIN_MS = 30_000;

/** Use `createClerk`. */
export class KvClerk extends Closable implements Clerk, ClerkCore, ServersListener {
  readonly clock: Clock;
  readonly finder: LeaderFinder;
  readonly servers: ServerSet;
  readonly sessions: SessionPool;
  discoveryError: string | null = null;
  readonly #discovery: ServerDiscovery;
  readonly #inFlight: InFlight;
  readonly #running: Running;
  readonly #events = new EventHub<ClerkEvent>();
  readonly #readerId: bigint;
  readonly #context = new AsyncResource("HoldfastClerk");
  readonly #firstServers: FirstServers;
  #nextReadId = 0n;
  readonly #counters = { started: 0, succeeded: 0, failed: 0, retries: 0, probes: 0 };

  constructor(
    readonly options: ResolvedClerkOptions,
    parts: ClerkParts,
  ) {
    super();
    const { clock, random, newClientId } = parts;
    const { probe, sessions, maxQueuedOperations } = options;
    this.#discovery = parts.discovery;
    this.#running = new Running(clock);
    this.#firstServers = new FirstServers(clock);
    this.clock = clock;
    this.servers = new ServerSet((endpoint) => parts.connect(endpoint));
    this.sessions = parts.sessions ?? new SessionPool(sessions, maxQueuedOperations, newClientId);
    this.#readerId = checkedId(newClientId());
    this.finder = new LeaderFinder({
      clock,
      random,
      cache: parts.cache ?? new LeaderCache(),
      pace: probe,
      servers: () => this.servers.all,
      timeoutMs: probe.timeoutMs,
      maxTimeoutMs: options.attemptTimeoutMs,
      ask: (server, timeoutMs, done) => this.#probe(server, timeoutMs, done),
      onChanged: (leader, previous) => this.#onLeader(leader, previous),
      onLost: (leader, cause) => this.#events.emit({ type: "leader.lost", leader, cause }),
      onNobody: () => this.#discovery.refresh(),
    });
    this.#inFlight = new InFlight(clock, probe.slowAfterMs, (operation) => this.finder.doubt(operation));
  }

  get(key: string, options: OperationOptions = {}): Promise<string | undefined> {
    return this.#operate("get", key, "", options);
  }

  put(key: string, value: string, options: OperationOptions = {}): Promise<void> {
    return this.#operate("put", key, value, options) as Promise<void>;
  }

  append(key: string, value: string, options: OperationOptions = {}): Promise<void> {
    return this.#operate("append", key, value, options) as Promise<void>;
  }

  async status(options: Pick<OperationOptions, "timeoutMs"> = {}): Promise<readonly ServerStatus[]> {
    if (this.isClosed) throw clerkClosed("status");
    const problem = checkOptions("status", options);
    if (problem !== null) throw problem;
    this.#discovery.start(this);
    const timeoutMs = options.timeoutMs ?? this.options.probe.timeoutMs;
    if (this.servers.size === 0) await this.#firstServers.wait(timeoutMs);
    const ask = ({ address, link }: KvServer): Promise<ServerStatus> =>
      new Promise((resolve) =>
        askStatus(link, timeoutMs, (answer) => resolve(serverStatus(address, answer))),
      );
    return Promise.all([...this.servers.all].map(ask));
  }

  async leader(options: OperationOptions = {}): Promise<Leader> {
    if (this.isClosed) throw clerkClosed("leader");
    const problem = checkOptions("leader", options);
    if (problem !== null) throw problem;
    this.#discovery.start(this);
    const known = this.finder.leader;
    if (known !== null && options.signal?.aborted !== true) return known;
    return new Promise((resolve, reject) => {
      const timeoutMs = options.timeoutMs ?? this.options.timeoutMs;
      const request = new LeaderRequest(this, timeoutMs, options.signal, resolve, reject);
      this.#running.add(request);
      request.start();
    });
  }

  stats(): ClerkStats {
    const { started, succeeded, failed, retries, probes } = this.#counters;
    const inFlight = started - succeeded - failed;
    return {
      leader: this.finder.leader,
      operations: { started, succeeded, failed, inFlight, queued: this.sessions.waiting },
      retries,
      probes,
      servers: this.servers.stats(),
    };
  }

  onEvent(listener: (event: ClerkEvent) => void): Subscription {
    return this.#events.subscribe(listener);
  }

  onServers(endpoints: readonly Endpoint[]): void {
    this.discoveryError = null;
    this.servers.replace(endpoints);
    this.#firstServers.come();
    const { addresses } = this.servers;
    this.#events.emit({ type: "servers.changed", servers: addresses });
    this.finder.serversChanged(addresses);
  }

  onDiscoveryError(text: string): void {
    this.discoveryError = text;
  }

  nextReadIds(): CommandIds {
    const commandId = this.#nextReadId;
    this.#nextReadId += 1n;
    return { clientId: this.#readerId, commandId };
  }

  attemptBegan(operation: Attempting, isRetry: boolean): void {
    if (isRetry) this.#counters.retries += 1;
    this.#inFlight.add(operation);
  }

  attemptEnded(operation: Attempting): void {
    this.#inFlight.remove(operation);
    this.finder.trust(operation);
  }

  operationEnded(operation: Endable, isSuccess: boolean): void {
    this.#counters[isSuccess ? "succeeded" : "failed"] += 1;
    this.#running.remove(operation);
  }

  requestEnded(request: Endable): void {
    this.#running.remove(request);
  }

  noteRetry(operation: KvOperation, attempt: number, address: string | null, cause: string): void {
    if (this.#events.hasListeners)
      this.#events.emit({ type: "operation.retry", operation, attempt, address, cause });
  }

  protected override async onClose({ drainMs = DRAIN_MS }: CloseOptions): Promise<void> {
    await this.#running.drained(drainMs, () => this.#endRunning());
    await this.#release();
  }

  protected override onDestroy(): void {
    this.#endRunning();
    this.#release().catch(() => {});
  }

  #operate(
    op: KvOperation,
    key: string,
    value: string,
    options: OperationOptions,
  ): Promise<string | undefined> {
    if (this.isClosed) return Promise.reject(clerkClosed(op));
    const problem = checkOperation(op, key, value, options, this.options);
    if (problem !== null) return Promise.reject(problem);
    this.#discovery.start(this);
    return new Promise((resolve, reject) => {
      const { timeoutMs = this.options.timeoutMs, signal } = options;
      const operation = new Operation(this, op, key, value, timeoutMs, signal, resolve, reject);
      this.#counters.started += 1;
      this.#running.add(operation);
      operation.start();
    });
  }

  /** In the Clerk's own async context: a probe serves everybody, not the caller who happened to start it. */
  #probe(server: KvServer, timeoutMs: number, done: Parameters<typeof askStatus>[2]): void {
    this.#counters.probes += 1;
    this.#context.runInAsyncScope(askStatus, null, server.link, timeoutMs, done);
  }

  #onLeader(leader: Leader, previous: Leader | null): void {
    this.#events.emit({ type: "leader.changed", leader, previous });
    for (const operation of this.#inFlight.all) operation.moveTo(leader);
  }

  #endRunning(): void {
    this.sessions.close();
    this.#running.endAll();
  }

  async #release(): Promise<void> {
    this.finder.close();
    this.#inFlight.close();
    this.#firstServers.come();
    this.#discovery.close();
    await this.servers.close();
  }
}
