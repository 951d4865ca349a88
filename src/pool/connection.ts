import { type ChannelInterface, connectivityState } from "@grpc/grpc-js";
import type { Endpoint, SocketAddress, Timer } from "../core/index.js";
import { canonicalAddress, isLiteral, parseAddress } from "../core/index.js";
import type { ConnectionDeps } from "./connection-deps.js";
import { DialCredentials } from "./dial-credentials.js";
import { DialSockets, enterDialScope } from "./dial-scope.js";
import type { EndpointGate, Incident, InnerCall, Slot } from "./slot.js";
import { TimeoutSeries } from "./timeout-series.js";
import { WriteProgress } from "./write-progress.js";

/** How long a socket may take to close by itself after its last stream, before it is destroyed. */
const GRACEFUL_END_MS = 1_000;

/** What a connection tells its owner; each at most once, and `onReady` before the two others. */
export interface ConnectionOwner {
  onReady(connection: Connection): void;
  onDialFailed(connection: Connection, error: string): void;
  /** The socket is gone. */
  onLost(connection: Connection, cause: string): void;
  /** The peer sent GOAWAY: no new calls, running ones go on. */
  onGoaway(connection: Connection): void;
  /** A call ended, so there is room for another. */
  onCallEnded(connection: Connection): void;
  /** An attempt ran out of time without a byte from the peer since it began. */
  onSilence(connection: Connection, cause: string): void;
}

type State = "dialling" | "ready" | "draining" | "closed";

/**
 * One dial and what came of it: a fresh inner channel, used once and never redialled. READY means that the peer's
 * SETTINGS arrived.
 */
export class Connection implements Slot {
  readonly #sockets: DialSockets;
  #channel: ChannelInterface | null = null;
  #state: State = "dialling";
  #timer: Timer | null = null;
  #leaveScope: (() => void) | null = null;
  #inFlight = 0;
  readonly #writes: WriteProgress;
  readonly #timeouts = new TimeoutSeries();
  readonly dialledAt: number;
  lastSuccessAt = 0;

  constructor(
    readonly endpoint: Endpoint,
    readonly gate: EndpointGate,
    private readonly owner: ConnectionOwner,
    private readonly deps: ConnectionDeps,
    /** Chooses among the addresses of a name, so that successive dials try each in turn. */
    private readonly round: number,
  ) {
    this.dialledAt = deps.clock.now();
    this.#writes = new WriteProgress(deps.clock, () => this.bytesRead);
    this.#sockets = new DialSockets(() => this.#onSocketClosed());
  }

  get address(): string {
    return this.endpoint.address;
  }

  get state(): State {
    return this.#state;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get bytesRead(): number {
    return this.#sockets.bytesRead;
  }

  /** True once the socket is gone, whatever the state says. */
  get isLost(): boolean {
    return this.#state === "closed" || this.#sockets.isClosed;
  }

  dial(): void {
    this.#timer = this.deps.clock.setTimer(() => this.#onDialTimeout(), this.deps.connectTimeoutMs);
    const parsed = parseAddress(this.endpoint.address);
    if (typeof parsed === "string") return this.#failDial(`the address ${this.endpoint.address} ${parsed}`);
    if (parsed.kind === "unix" || isLiteral(parsed) || this.endpoint.isProxied === true) {
      return this.#open(parsed, this.endpoint);
    }
    this.#lookup(parsed);
  }

  /** @throws when the inner channel was closed meanwhile; no stream was opened then. */
  createCall(method: string, deadline: number, host: string | null | undefined): InnerCall {
    if (this.#channel === null) throw new Error("the connection is closed");
    return this.#channel.createCall(method, deadline, host, null, null);
  }

  callStarted(): void {
    this.#inFlight++;
  }

  callEnded(): void {
    this.#inFlight--;
    if (this.#inFlight === 0 && this.#state === "draining") this.#release();
    this.owner.onCallEnded(this);
  }

  writeStarted(): void {
    this.#writes.started();
  }

  writeEnded(): void {
    this.#writes.ended();
  }

  noteTimeout(startedAt: number, bytesAtStart: number): Incident {
    const now = this.deps.clock.now();
    if (this.bytesRead === bytesAtStart && !this.isLost) {
      this.owner.onSilence(
        this,
        `an attempt timed out after ${Math.round(now - startedAt)} ms without a byte`,
      );
    }
    return this.#timeouts.incidentOf(startedAt, now);
  }

  get peerWhileQueued(): string | null {
    return this.#channel?.getTarget() ?? null;
  }

  get lossIncident(): object {
    return this;
  }

  isWriteStalled(stallMs: number): boolean {
    return this.#writes.isStalled(stallMs);
  }

  /** Takes no new calls; closes when the last one ends, or ends them after `drainMs`. */
  drain(drainMs: number = this.deps.drainMs): void {
    if (this.#state === "dialling") return this.kill();
    if (this.#state !== "ready") return;
    this.#state = "draining";
    if (this.#inFlight === 0) return this.#release();
    this.#timer = this.deps.clock.setTimer(() => this.kill(), drainMs);
  }

  /** Ends it now. Calls on it end as lost with the socket. */
  kill(): void {
    if (this.#state === "closed") return;
    this.#shut();
    this.#sockets.destroy();
    this.#channel?.close();
  }

  #lookup(address: SocketAddress & { kind: "tcp" }): void {
    // The name stays the name for `:authority` and the certificate, whichever address it leads to.
    const named = { serverName: canonicalAddress(address), ...this.endpoint };
    this.deps.lookup(address.host).then(
      (hosts) => {
        if (this.#state !== "dialling") return;
        const host = hosts[this.round % hosts.length];
        if (host === undefined) return this.#failDial(`the name ${address.host} has no address`);
        this.#open({ kind: "tcp", host, port: address.port }, named);
      },
      (error: unknown) => this.#failDial(String(error instanceof Error ? error.message : error)),
    );
  }

  #open(address: SocketAddress, endpoint: Endpoint): void {
    const { deps } = this;
    deps.context.runInAsyncScope(() => {
      this.#leaveScope = enterDialScope(this.#sockets, () => {
        const credentials = new DialCredentials(deps.credentials, this.#sockets);
        this.#channel = deps.makeChannel(endpoint, address, credentials);
        this.#watch(this.#channel.getConnectivityState(true));
      });
    });
  }

  #watch(seen: connectivityState): void {
    if (this.#state === "closed") return;
    this.#channel?.watchConnectivityState(seen, Number.POSITIVE_INFINITY, () => this.#onInnerState());
  }

  #onInnerState(): void {
    if (this.#state === "closed" || this.#channel === null) return;
    const state = this.#channel.getConnectivityState(false);
    if (this.#state === "dialling") {
      if (state === connectivityState.TRANSIENT_FAILURE) return this.#failDial(this.#sockets.failure);
      if (state === connectivityState.READY) this.#onReady();
      return this.#watch(state);
    }
    // READY is over: the socket closed, or the peer sent GOAWAY while it is still open.
    if (this.isLost) this.#onSocketClosed();
    else if (this.#state === "ready") this.owner.onGoaway(this);
  }

  #onReady(): void {
    this.#settleDial();
    this.#state = "ready";
    this.owner.onReady(this);
  }

  #onDialTimeout(): void {
    const stage = this.#sockets.isConnected ? "TCP connected, but no SETTINGS arrived" : "no TCP connection";
    this.#failDial(`${stage} within ${this.deps.connectTimeoutMs} ms`);
  }

  #failDial(error: string): void {
    if (this.#state !== "dialling") return;
    this.kill();
    this.owner.onDialFailed(this, error);
  }

  #onSocketClosed(): void {
    if (this.#state === "closed") {
      this.#timer?.cancel();
      return;
    }
    if (this.#state === "dialling") {
      // A socket of several may close while another goes on: the inner channel has the last word then.
      if (this.#sockets.isConnected) this.#failDial(this.#sockets.failure);
      return;
    }
    const cause = this.#sockets.error?.message ?? "the connection was closed";
    const isLoss = this.#state === "ready" || this.#inFlight > 0;
    this.#shut();
    this.#channel?.close();
    if (isLoss) this.owner.onLost(this, cause);
  }

  #settleDial(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#leaveScope?.();
    this.#leaveScope = null;
  }

  #shut(): void {
    this.#settleDial();
    this.#state = "closed";
  }

  /** A clean end: grpc-js says goodbye and closes the socket; a peer that does not answer gets no say in it. */
  #release(): void {
    this.#shut();
    this.#channel?.close();
    this.#timer = this.deps.clock.setTimer(() => this.#sockets.destroy(), GRACEFUL_END_MS);
  }
}
