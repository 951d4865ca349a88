import { channel as diagnosticsChannel } from "node:diagnostics_channel";
import {
  type ChannelCredentials,
  type ChannelInterface,
  connectivityState as State,
  status as Status,
} from "@grpc/grpc-js";
import { type Clock, canonicalAddress, type Endpoint, type SocketAddress } from "../../src/core/index.js";
import { FakeCall, type FakeCallHost } from "./fake-call.js";
import { FakeSocket } from "./fake-socket.js";

type Connector = ReturnType<ChannelCredentials["_createSecureConnector"]>;
type ConnectorArguments = Parameters<ChannelCredentials["_createSecureConnector"]>;

const CHECK_METHOD = "/grpc.health.v1.Health/Check";
const CLIENT_SOCKETS = diagnosticsChannel("net.client.socket");

/** Who made the channel: hears of its dial and its calls. */
export interface FakeChannelOwner {
  onDial(channel: FakeChannel): void;
  onCall(call: FakeCall): void;
}

/**
 * An inner grpc-js channel without a network. It dials through the credentials it was given, as grpc-js does, so
 * that the pool sees its socket; what becomes of the dial, the connection and the calls is the test's to say.
 */
export class FakeChannel implements ChannelInterface, FakeCallHost {
  readonly socket = new FakeSocket();
  readonly calls: FakeCall[] = [];
  readonly checks: FakeCall[] = [];
  readonly target: string;
  readonly peer: string;
  holdsWrites = false;
  /** False for a peer that never answers a goodbye. */
  endsGracefully = true;
  isClosed = false;
  /** False while a READY connection has no stream to give (a peer at its stream limit). */
  opensStreams = true;
  #state = State.IDLE;
  #isLeaving = false;
  readonly #watchers: { readonly seen: State; readonly callback: () => void }[] = [];
  readonly #connector: Connector;
  readonly #running = new Set<FakeCall>();

  constructor(
    readonly endpoint: Endpoint,
    address: SocketAddress,
    credentials: ChannelCredentials,
    readonly clock: Clock,
    private readonly owner: FakeChannelOwner,
  ) {
    this.peer = canonicalAddress(address);
    this.target = `ipv4:${this.peer}`;
    const target = { scheme: "ipv4", path: this.peer } as ConnectorArguments[0];
    this.#connector = credentials._createSecureConnector(target, {});
    this.socket.once("close", () => this.#onSocketClosed());
  }

  get isReady(): boolean {
    return this.#state === State.READY;
  }

  get canOpenStreams(): boolean {
    return this.isReady && this.opensStreams;
  }

  /** Calls on their way, Checks included. */
  get inFlight(): number {
    return this.#running.size;
  }

  // What a connection does

  getConnectivityState(tryToConnect: boolean): State {
    if (tryToConnect && this.#state === State.IDLE) {
      this.#set(State.CONNECTING);
      void this.#dial();
    }
    return this.#state;
  }

  watchConnectivityState(seen: State, _deadline: Date | number, callback: () => void): void {
    if (seen === this.#state) this.#watchers.push({ seen, callback });
    else process.nextTick(callback);
  }

  createCall(method: string, deadline: Date | number, host: string | null | undefined): FakeCall {
    if (this.isClosed) throw new Error("Channel has been shut down");
    const call = new FakeCall(this, method, Number(deadline), host);
    this.#running.add(call);
    if (method === CHECK_METHOD) {
      this.checks.push(call);
    } else {
      this.calls.push(call);
      this.owner.onCall(call);
    }
    return call;
  }

  onEnded(call: FakeCall): void {
    this.#running.delete(call);
    this.#endSocketWhenIdle();
  }

  close(): void {
    this.isClosed = true;
    this.#set(State.SHUTDOWN);
    this.#endSocketWhenIdle();
  }

  getTarget(): string {
    return this.target;
  }

  getChannelzRef(): never {
    throw new Error("not used");
  }

  // What the test makes happen

  /** TCP stands; SETTINGS have not arrived yet. */
  async acceptTcp(): Promise<void> {
    await this.#connector.connect(this.socket.asSocket);
  }

  /** The peer's SETTINGS arrive on the connection that stands: READY. */
  settings(): void {
    this.#set(this.socket.destroyed ? State.TRANSIENT_FAILURE : State.READY);
  }

  /** TCP and SETTINGS. */
  async accept(): Promise<void> {
    await this.acceptTcp();
    this.settings();
  }

  /** The dial fails, as with a port nobody listens on. */
  refuse(error = `connect ECONNREFUSED ${this.peer}`): void {
    // As grpc-js does: it listens for as long as it dials, also for a channel that was closed meanwhile.
    this.socket.on("error", () => {});
    this.socket.destroy(new Error(error));
    setImmediate(() => this.#set(State.TRANSIENT_FAILURE));
  }

  /** The peer sends bytes that belong to no call of the test. */
  hear(bytes = 1): void {
    this.socket.bytesRead += bytes;
  }

  /** The connection is gone: a reset, a killed process. */
  lose(error?: string): void {
    this.socket.destroy(error === undefined ? undefined : new Error(error));
  }

  /** The server leaves: streams begun after its last one are refused, the others go on. */
  goaway(refused: readonly FakeCall[] = []): void {
    for (const call of refused) call.refuse();
    this.#isLeaving = true;
    this.#set(State.IDLE);
    this.#endSocketWhenIdle();
  }

  /** As grpc-js dials: the credentials have the first word, then Node announces the socket. */
  async #dial(): Promise<void> {
    try {
      await this.#connector.waitForReady();
    } catch {
      // The pool's credentials admit one dial, and none that was given up.
      return this.#set(State.TRANSIENT_FAILURE);
    }
    CLIENT_SOCKETS.publish({ socket: this.socket.asSocket });
    this.owner.onDial(this);
  }

  #onSocketClosed(): void {
    // grpc-js gives calls a turn to end by themselves before it calls the connection dropped.
    setImmediate(() => {
      for (const call of [...this.#running]) {
        if (call.isStreamOpened) call.endLocally(Status.UNAVAILABLE, "Connection dropped");
      }
    });
    if (this.#state === State.CONNECTING) this.#set(State.TRANSIENT_FAILURE);
    else if (this.isReady) this.#set(State.IDLE);
  }

  #endSocketWhenIdle(): void {
    const isOver = this.isClosed || this.#isLeaving;
    if (!isOver || this.#running.size > 0 || !this.endsGracefully) return;
    // Statuses are on their way up before the socket closes.
    setImmediate(() => this.socket.destroy());
  }

  #set(state: State): void {
    if (this.#state === State.SHUTDOWN || this.#state === state) return;
    this.#state = state;
    for (const watcher of this.#watchers.splice(0)) watcher.callback();
  }
}
