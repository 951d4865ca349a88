import { AsyncResource } from "node:async_hooks";
import { credentials, Metadata } from "@grpc/grpc-js";
import type { ConnectivityWord, Endpoint } from "../../src/core/index.js";
import type { Connection } from "../../src/pool/connection.js";
import type { KeeperDeps } from "../../src/pool/dialled-connections.js";
import { type EndpointGate, openGate } from "../../src/pool/endpoint-gate.js";
import { reconnectBackoffSchema } from "../../src/pool/pool-options.js";
import { ReconnectBackoff } from "../../src/pool/reconnect-backoff.js";
import { Standing } from "../../src/pool/standing.js";
import { Subchannel } from "../../src/pool/subchannel.js";
import type { SubchannelOwner, SuspicionChange } from "../../src/pool/subchannel-owner.js";
import type { FakeCall } from "../support/fake-call.js";
import type { FakeChannel } from "../support/fake-channel.js";
import { type DialPlan, FakeNetwork } from "../support/fake-network.js";
import { ManualClock, settle } from "../support/manual-clock.js";
import { fixedRandom } from "../support/seeded-random.js";

export const ADDRESS = "10.0.0.1:1";
export const CONNECT_TIMEOUT_MS = 10_000;
export const DRAIN_MS = 30_000;
export const CHECK_TIMEOUT_MS = 1_000;

/** One subchannel with its surroundings: a network, a clock, and an owner that writes everything down. */
export class SubchannelBench implements SubchannelOwner<Subchannel> {
  readonly clock = new ManualClock();
  readonly network = new FakeNetwork(this.clock);
  readonly words: ConnectivityWord[] = ["IDLE"];
  readonly causes: (string | undefined)[] = [];
  readonly dialErrors: string[] = [];
  readonly losses: { readonly cause: string; readonly callsInFlight: number }[] = [];
  readonly drains: string[] = [];
  readonly livedMs: number[] = [];
  readonly doubts: SuspicionChange[] = [];
  readonly gate: EndpointGate & { reconnections: number };
  rooms = 0;
  readonly subchannel: Subchannel;

  constructor(
    endpoint: Endpoint = { address: ADDRESS },
    lookup = this.network.lookup,
    options: Partial<KeeperDeps> = {},
  ) {
    this.gate = {
      ...openGate,
      reconnections: 0,
      reconnected: () => {
        this.gate.reconnections++;
      },
    };
    const backoff = new ReconnectBackoff(reconnectBackoffSchema.parse({}), fixedRandom(0.5));
    this.subchannel = new Subchannel(endpoint, new Standing({ gate: this.gate }), this, backoff, {
      clock: this.clock,
      credentials: () => credentials.createInsecure(),
      makeChannel: this.network.makeChannel,
      lookup,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      drainMs: DRAIN_MS,
      checkTimeoutMs: CHECK_TIMEOUT_MS,
      context: new AsyncResource("test"),
      random: fixedRandom(0.5),
      minConnections: 1,
      maxConnections: 1,
      maxStreamsPerConnection: 100,
      maxCallsPerConnection: 1_000_000,
      isWatched: false,
      maxConnectionAgeMs: null,
      ...options,
    });
  }

  /** Dials, by plan; READY at once unless planned otherwise. */
  async dialled(...plans: DialPlan[]): Promise<this> {
    if (plans.length > 0) this.network.plan(ADDRESS, ...plans);
    this.subchannel.connect();
    await settle();
    return this;
  }

  /** The newest dial. */
  get dial(): FakeChannel {
    return this.network.last(this.subchannel.endpoint.address);
  }

  get connection(): Connection {
    const [connection] = this.subchannel.connections;
    if (connection === undefined) throw new Error(`not READY but ${this.subchannel.state}`);
    return connection;
  }

  /** A call on the connection, begun now. */
  async startCall(): Promise<{ end(): void }> {
    const { connection } = this;
    const inner = connection.createCall("/test.Echo/Say", Number.POSITIVE_INFINITY, undefined) as FakeCall;
    const onReceiveStatus = (): void => connection.callEnded();
    inner.start(new Metadata(), { onReceiveMetadata() {}, onReceiveMessage() {}, onReceiveStatus });
    connection.callStarted();
    await settle();
    return { end: () => inner.okTrailers() };
  }

  /** Dials that are neither over nor READY. */
  get openDials(): number {
    return this.network.dials.filter((dial) => !dial.isClosed && !dial.isReady && !dial.socket.destroyed)
      .length;
  }

  /** Sockets not yet closed. */
  get openSockets(): number {
    return this.network.dials.filter((dial) => !dial.socket.destroyed).length;
  }

  onState(_subchannel: unknown, _from: ConnectivityWord, to: ConnectivityWord, cause?: string): void {
    this.words.push(to);
    this.causes.push(cause);
  }

  onDialFailed(_subchannel: unknown, error: string): void {
    this.dialErrors.push(error);
  }

  onStanding(): void {}

  onEndedByPeer(livedMs: number): void {
    this.livedMs.push(livedMs);
  }

  onLost(_subchannel: unknown, cause: string, callsInFlight: number): void {
    this.losses.push({ cause, callsInFlight });
  }

  onDraining(_subchannel: unknown, cause: string): void {
    this.drains.push(cause);
  }

  onSuspicion(_subchannel: unknown, change: SuspicionChange): void {
    this.doubts.push(change);
  }

  onRoom(): void {
    this.rooms++;
  }
}
