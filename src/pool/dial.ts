import { type CallCredentials, type ChannelInterface, connectivityState } from "@grpc/grpc-js";
import type { Endpoint, SocketAddress, Timer } from "../core/index.js";
import { canonicalAddress, isLiteral, parseAddress } from "../core/index.js";
import type { ConnectionDeps } from "./connection-deps.js";
import { DialCredentials } from "./dial-credentials.js";
import { DialSockets, enterDialScope } from "./dial-scope.js";

/** What a dial tells, exactly one of the two unless it is cancelled. */
export interface DialOwner {
  /** The peer's SETTINGS arrived: the inner channel is READY. */
  onConnected(channel: ChannelInterface): void;
  onDialFailed(error: string): void;
}

/**
 * One dial: name look-up, TCP, TLS and the peer's SETTINGS, all under one deadline, on a fresh inner channel. grpc-js
 * has no such deadline, and its state after a first failure hides a second dial that hangs.
 */
export class Dial {
  /** Outlives the dial: the socket it settled on is the connection's. */
  readonly sockets: DialSockets;
  #channel: ChannelInterface | null = null;
  #credentials: DialCredentials | null = null;
  #timer: Timer | null = null;
  #leaveScope: (() => void) | null = null;
  #isOver = false;

  constructor(
    private readonly endpoint: Endpoint,
    private readonly deps: ConnectionDeps,
    private readonly owner: DialOwner,
    /** The connection's socket closed, at whatever time. */
    onSocketClosed: () => void,
    /** Chooses among the addresses of a name, so that successive dials try each in turn. */
    private readonly round: number,
  ) {
    this.sockets = new DialSockets(() => {
      // Before TCP stands a socket of several may close while another goes on: the inner channel has the last word then.
      if (this.#isOver) onSocketClosed();
      else if (this.sockets.isConnected) this.#fail(this.sockets.failure);
    });
  }

  /** Those that the user combined the channel's with. */
  get callCredentials(): CallCredentials | null {
    return this.#credentials?.callCredentials ?? null;
  }

  start(): void {
    // A listener to the new state may have ended it.
    if (this.#isOver) return;
    this.#timer = this.deps.clock.setTimer(() => this.#onTimeout(), this.deps.connectTimeoutMs);
    const parsed = parseAddress(this.endpoint.address);
    if (typeof parsed === "string") return this.#fail(`the address ${this.endpoint.address} ${parsed}`);
    if (parsed.kind === "unix" || isLiteral(parsed) || this.endpoint.isProxied === true) {
      return this.#open(parsed, this.endpoint);
    }
    this.#lookup(parsed);
  }

  /** Gives up without a word to the owner; nothing of it is left. */
  cancel(): void {
    if (this.#isOver) return;
    this.#settle();
    this.sockets.destroy();
    this.#channel?.close();
  }

  #lookup(address: SocketAddress & { kind: "tcp" }): void {
    // The name stays the name for `:authority` and the certificate, whichever address it leads to.
    const named = { serverName: canonicalAddress(address), ...this.endpoint };
    this.deps.lookup(address.host).then(
      (hosts) => {
        if (this.#isOver) return;
        const host = hosts[this.round % hosts.length];
        if (host === undefined) return this.#fail(`the name ${address.host} has no address`);
        this.#open({ kind: "tcp", host, port: address.port }, named);
      },
      (error: unknown) => this.#fail(String(error instanceof Error ? error.message : error)),
    );
  }

  #open(address: SocketAddress, endpoint: Endpoint): void {
    const { deps } = this;
    deps.context.runInAsyncScope(() => {
      this.#leaveScope = enterDialScope(this.sockets, () => {
        this.#credentials = new DialCredentials(deps.credentials(), this.sockets);
        this.#channel = deps.makeChannel(endpoint, address, this.#credentials);
        this.#watch(this.#channel, this.#channel.getConnectivityState(true));
      });
    });
  }

  #watch(channel: ChannelInterface, seen: connectivityState): void {
    channel.watchConnectivityState(seen, Number.POSITIVE_INFINITY, () => {
      if (this.#isOver) return;
      const state = channel.getConnectivityState(false);
      if (state === connectivityState.TRANSIENT_FAILURE) return this.#fail(this.sockets.failure);
      if (state !== connectivityState.READY) return this.#watch(channel, state);
      this.#settle();
      this.owner.onConnected(channel);
    });
  }

  #onTimeout(): void {
    const stage = this.sockets.isConnected ? "TCP connected, but no SETTINGS arrived" : "no TCP connection";
    this.#fail(`${stage} within ${this.deps.connectTimeoutMs} ms`);
  }

  #fail(error: string): void {
    if (this.#isOver) return;
    this.cancel();
    this.owner.onDialFailed(error);
  }

  #settle(): void {
    this.#isOver = true;
    this.#timer?.cancel();
    this.#leaveScope?.();
  }
}
