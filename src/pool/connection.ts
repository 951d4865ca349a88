import { type CallCredentials, type ChannelInterface, connectivityState } from "@grpc/grpc-js";
import type { Endpoint, Timer } from "../core/index.js";
import type { ConnectionDeps } from "./connection-deps.js";
import { Dial, type DialOwner } from "./dial.js";
import { isPlaintext } from "./dial-credentials.js";
import type { InnerCall } from "./inner-call.js";
import type { Incident, Slot } from "./slot.js";
import type { Standing } from "./standing.js";
import { TimeoutSeries } from "./timeout-series.js";
import { WriteProgress } from "./write-progress.js";

/** How long a socket may take to close by itself after its last stream, before it is destroyed. */
const GRACEFUL_END_MS = 1_000;

/** What a connection tells its owner; each at most once, and `onReady` before the others. */
export interface ConnectionOwner {
  onReady(connection: Connection): void;
  onDialFailed(connection: Connection, error: string): void;
  /** It ended by no doing of ours. */
  onLost(connection: Connection, cause: string, incident: Incident): void;
  /** The peer sent GOAWAY: no new calls, running ones go on. */
  onGoaway(connection: Connection): void;
  /** A call ended, so there is room for another. */
  onCallEnded(connection: Connection): void;
  /** It has carried as many calls as one connection may. */
  onWornOut(connection: Connection): void;
  /** An attempt ran out of time without a byte from the peer since it began. */
  onSilence(connection: Connection, cause: string): void;
}

type State = "dialling" | "ready" | "draining" | "closed";

/** One dial and what came of it: an inner channel, used once and never redialled. */
export class Connection implements Slot, DialOwner {
  readonly isPooled = true;
  readonly dialledAt: number;
  /** Monotonic ms at which it came up; 0 before. */
  readyAt = 0;
  readonly #dial: Dial;
  readonly #timeouts = new TimeoutSeries();
  readonly #writes: WriteProgress;
  #state: State = "dialling";
  #channel: ChannelInterface | null = null;
  /** Bounds a drain, then the end of the socket. */
  #timer: Timer | null = null;
  #inFlight = 0;
  #callsMade = 0;
  #hasGoaway = false;
  #loss: Incident = { isCounted: false };
  #isLossReported = false;

  constructor(
    readonly endpoint: Endpoint,
    readonly standing: Standing,
    private readonly owner: ConnectionOwner,
    private readonly deps: ConnectionDeps,
    round: number,
  ) {
    this.dialledAt = deps.clock.now();
    this.#dial = new Dial(endpoint, deps, this, () => this.#onSocketClosed(), round);
    this.#writes = new WriteProgress(deps.clock, () => this.bytesRead);
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
    return this.#dial.sockets.bytesRead;
  }

  get isLost(): boolean {
    return this.#state === "closed" || this.#hasGoaway || this.#dial.sockets.isClosed;
  }

  /** True when the peer closed it without an error, and without the GOAWAY that its owner was told of. */
  get isOrderlyEnd(): boolean {
    return this.#dial.sockets.error === null && !this.#hasGoaway;
  }

  get isSessionOver(): boolean {
    return this.#state === "closed" || this.#dial.sockets.isEnded;
  }

  get peerWhileQueued(): string | null {
    return this.#channel?.getTarget() ?? null;
  }

  get callCredentials(): CallCredentials | null {
    return this.#dial.callCredentials;
  }

  get isPlaintext(): boolean {
    return isPlaintext(this.deps.credentials()) && !this.address.startsWith("unix:");
  }

  dial(): void {
    this.#dial.start();
  }

  createCall(method: string, deadline: number, host: string | null | undefined): InnerCall {
    if (this.#channel === null) throw new Error("the connection is not ready");
    return this.#channel.createCall(method, deadline, host, null, null);
  }

  callStarted(): void {
    // Beside a Watch grpc-js takes no notice of a first call: it is to keep the process alive, and the Watch is not.
    if (this.#inFlight++ === 0 && this.deps.isWatched) this.#dial.sockets.ref();
    // Once grpc-js has begun the call, which keeps the process alive.
    if (this.deps.isBackground) setImmediate(() => this.#dial.sockets.unref());
    this.standing.inFlight++;
    this.standing.picks++;
    if (++this.#callsMade === this.deps.maxCallsPerConnection) this.owner.onWornOut(this);
  }

  callEnded(): void {
    if (--this.#inFlight === 0) this.rest();
    this.standing.inFlight--;
    if (this.#inFlight === 0 && this.#state === "draining") this.#release();
    this.owner.onCallEnded(this);
  }

  /** What is left to run there is nothing that a process would be kept alive for. */
  rest(): void {
    if (this.#inFlight === 0 && this.deps.isWatched) this.#dial.sockets.unref();
  }

  writeStarted(): void {
    this.#writes.started();
  }

  writeEnded(): void {
    this.#writes.ended();
  }

  isWriteStalled(stallMs: number): boolean {
    return this.#writes.isStalled(stallMs);
  }

  noteTimeout(startedAt: number, bytesAtStart: number): Incident {
    const now = this.deps.clock.now();
    // First, so that a death by this very silence belongs to it.
    const incident = this.#timeouts.incidentOf(startedAt, now);
    const cause = `an attempt timed out after ${Math.round(now - startedAt)} ms without a byte`;
    // After the next look at the sockets: where our own process was held up, timers come before answers that wait there.
    setImmediate(() => this.#noteSilence(bytesAtStart, cause));
    return incident;
  }

  #noteSilence(bytesBefore: number, cause: string): void {
    if (this.bytesRead === bytesBefore && !this.isLost) this.owner.onSilence(this, cause);
  }

  noteLoss(): Incident {
    // After GOAWAY the calls end before the socket does, and nobody else would tell of the loss.
    if (this.#hasGoaway) this.#reportLoss("the connection ended with GOAWAY while calls ran");
    return this.#loss;
  }

  /** Takes no new calls; closes when the last one ends, or ends them after `drainMs`. */
  drain(drainMs: number = this.deps.drainMs): void {
    if (this.#state === "dialling") return this.kill();
    if (this.#state !== "ready") return;
    this.#state = "draining";
    if (this.#inFlight === 0) return this.#release();
    this.#timer = this.deps.clock.setTimer(() => this.kill(), drainMs);
  }

  /** Ends it because its silence proved it dead: the loss is the same event as the timeouts that led here. */
  killSilent(): Incident {
    this.#loss = this.#timeouts.current ?? this.#loss;
    this.kill();
    return this.#loss;
  }

  /** Ends it now. Calls on it end as lost with the socket, which is our doing and no loss to report. */
  kill(): void {
    if (this.#state === "closed") return;
    this.#isLossReported = true;
    this.#shut();
    this.#dial.cancel();
    this.#dial.sockets.destroy();
    this.#channel?.close();
  }

  // The dial's news

  onConnected(channel: ChannelInterface): void {
    this.#channel = channel;
    this.#state = "ready";
    this.readyAt = this.deps.clock.now();
    channel.watchConnectivityState(connectivityState.READY, Number.POSITIVE_INFINITY, () =>
      this.#onReadyOver(),
    );
    this.owner.onReady(this);
  }

  onDialFailed(error: string): void {
    this.#state = "closed";
    this.owner.onDialFailed(this, error);
  }

  /** The inner channel left READY: the socket closed, or the peer sent GOAWAY while it is still open. */
  #onReadyOver(): void {
    if (this.#state === "closed") return;
    if (this.#dial.sockets.isClosed) return this.#onSocketClosed();
    if (this.#state !== "ready") return;
    this.#hasGoaway = true;
    this.owner.onGoaway(this);
  }

  #onSocketClosed(): void {
    if (this.#state === "closed") {
      this.#timer?.cancel();
      return;
    }
    const isLoss = this.#state === "ready" || this.#inFlight > 0;
    this.#shut();
    this.#channel?.close();
    if (isLoss) this.#reportLoss(this.#dial.sockets.error ?? "the connection was closed");
  }

  #reportLoss(cause: string): void {
    if (this.#isLossReported) return;
    this.#isLossReported = true;
    this.owner.onLost(this, cause, this.#loss);
  }

  #shut(): void {
    this.#timer?.cancel();
    this.#state = "closed";
  }

  /** A clean end: grpc-js says goodbye and closes the socket; a peer that does not answer gets no say in it. */
  #release(): void {
    this.#shut();
    this.#channel?.close();
    this.#timer = this.deps.clock.setTimer(() => this.#dial.sockets.destroy(), GRACEFUL_END_MS);
  }
}
