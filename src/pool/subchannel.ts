import type { ConnectivityWord, Endpoint, Timer } from "../core/index.js";
import { Connection, type ConnectionOwner } from "./connection.js";
import type { ConnectionDeps } from "./connection-deps.js";
import type { ReconnectBackoff } from "./reconnect-backoff.js";
import type { EndpointGate, Incident } from "./slot.js";
import type { SubchannelOwner } from "./subchannel-owner.js";
import { Suspicion, type SuspicionOwner } from "./suspicion.js";

type State =
  | { readonly word: "IDLE" }
  | { readonly word: "CONNECTING"; readonly connection: Connection }
  | { readonly word: "READY"; readonly connection: Connection; readonly doubt: Doubt | null }
  | { readonly word: "TRANSIENT_FAILURE"; readonly timer: Timer; readonly retryAt: number }
  | { readonly word: "SHUTDOWN" };

/** A connection under suspicion: first a Check, then a fresh dial beside it. */
type Doubt = { readonly suspicion: Suspicion; readonly replacement: Connection | null };

export interface SubchannelDeps extends ConnectionDeps {
  readonly checkTimeoutMs: number;
}

/** The life of one endpoint: dialled, READY, lost, dialled again; at most one dial at a time. */
export class Subchannel implements ConnectionOwner, SuspicionOwner {
  #state: State = { word: "IDLE" };
  #round = 0;
  /** R107: a failed endpoint counts as failed until it is READY, whatever it does meanwhile. */
  #hasFailed = false;
  #lastError: { readonly text: string; readonly at: number } | null = null;

  constructor(
    readonly endpoint: Endpoint,
    readonly gate: EndpointGate,
    private readonly owner: SubchannelOwner,
    private readonly backoff: ReconnectBackoff,
    private readonly deps: SubchannelDeps,
  ) {}

  get word(): ConnectivityWord {
    return this.#state.word;
  }

  /** The state as the target's aggregate sees it. The short wait before redialling a lost connection is no failure. */
  get aggregateWord(): ConnectivityWord {
    const { word } = this.#state;
    if (this.#hasFailed && word !== "READY") return "TRANSIENT_FAILURE";
    return word === "TRANSIENT_FAILURE" ? "CONNECTING" : word;
  }

  get connection(): Connection | null {
    return this.#state.word === "READY" ? this.#state.connection : null;
  }

  get isSuspect(): boolean {
    return this.#state.word === "READY" && this.#state.doubt !== null;
  }

  /** READY with nothing against it. One that is not gives others reason to be connected in its stead. */
  get isGood(): boolean {
    return this.#state.word === "READY" && this.#state.doubt === null && this.gate.state === "closed";
  }

  /** The last connection error, with its epoch time. */
  get lastError(): { readonly text: string; readonly at: number } | null {
    return this.#lastError;
  }

  /** Milliseconds until the next dial, or null when none is scheduled. */
  get retryInMs(): number | null {
    return this.#state.word === "TRANSIENT_FAILURE"
      ? Math.max(0, this.#state.retryAt - this.deps.clock.now())
      : null;
  }

  /** Dials, if idle. In backoff the timer does it. */
  connect(): void {
    if (this.#state.word !== "IDLE") return;
    this.#dial();
  }

  /** Dials at once, also in backoff, and starts the backoff anew. */
  resetBackoff(): void {
    this.backoff.reset();
    if (this.#state.word !== "TRANSIENT_FAILURE") return;
    this.#state.timer.cancel();
    this.#dial();
  }

  /** The connection goes quietly: for idleness and removal. Running calls finish within `drainMs`. */
  drain(cause: string, drainMs?: number): void {
    const { connection } = this;
    if (connection !== null && connection.inFlight > 0) this.owner.onDraining(this, cause);
    this.#leaveState();
    // What failed before a pause says nothing about the time after it.
    this.#hasFailed = false;
    this.backoff.reset();
    connection?.drain(drainMs);
    this.#enter({ word: "IDLE" }, cause);
  }

  /** The end of the endpoint's state. */
  shutdown(cause: string, drainMs?: number): void {
    if (this.#state.word === "SHUTDOWN") return;
    this.drain(cause, drainMs);
    this.#enter({ word: "SHUTDOWN" }, cause);
  }

  /** Ends everything now; its calls end as lost. */
  destroy(): void {
    this.#leaveState();
    this.connection?.kill();
    this.#enter({ word: "SHUTDOWN" }, "the channel was destroyed");
  }

  /** Puts the connection's life in doubt and verifies it, unless that is under way. */
  suspect(connection: Connection, cause: string): void {
    if (this.#state.word !== "READY" || this.#state.connection !== connection || this.#state.doubt !== null)
      return;
    const suspicion = new Suspicion(connection, this, this.deps.clock, this.deps.checkTimeoutMs);
    this.#state = { word: "READY", connection, doubt: { suspicion, replacement: null } };
    this.owner.onSuspicion(this, { type: "connection.suspect", cause });
  }

  // Suspicion's answers

  onVerified(connection: Connection, by: "bytes" | "health"): void {
    if (this.#state.word !== "READY" || this.#state.connection !== connection) return;
    this.#state.doubt?.replacement?.kill();
    this.#state = { word: "READY", connection, doubt: null };
    this.owner.onSuspicion(this, { type: "connection.verified", by });
  }

  onUnanswered(connection: Connection): void {
    if (this.#state.word !== "READY" || this.#state.doubt === null) return;
    const replacement = this.#newConnection();
    this.#state = { word: "READY", connection, doubt: { ...this.#state.doubt, replacement } };
    replacement.dial();
  }

  // A connection's news

  onReady(connection: Connection): void {
    this.#hasFailed = false;
    this.backoff.reset();
    this.gate.reconnected();
    if (this.#state.word === "READY") {
      if (this.#state.doubt?.replacement !== connection) return;
      const old = this.#state.connection;
      this.#state = { word: "READY", connection, doubt: null };
      this.owner.onSuspicion(this, { type: "connection.verified", by: "dial" });
      old.drain();
      return;
    }
    this.#enter({ word: "READY", connection, doubt: null });
  }

  onDialFailed(connection: Connection, error: string): void {
    this.#noteError(error);
    if (this.#state.word === "READY") return this.#onReplacementFailed(connection, error);
    this.#hasFailed = true;
    this.#waitUntil(this.backoff.afterFailure(connection.dialledAt), error);
    this.owner.onDialFailed(this, error);
  }

  onLost(connection: Connection, cause: string, incident: Incident): void {
    this.#noteError(cause);
    const { inFlight } = connection;
    if (this.#isCurrent(connection)) {
      this.#leaveState();
      this.#redial(connection, cause);
    }
    this.owner.onLost(this, cause, inFlight, incident);
  }

  onGoaway(connection: Connection): void {
    const isCurrent = this.#isCurrent(connection);
    if (isCurrent) this.#leaveState();
    this.owner.onDraining(this, "GOAWAY");
    connection.drain();
    if (isCurrent) this.#redial(connection, "GOAWAY");
  }

  onCallEnded(): void {
    this.owner.onRoom();
  }

  onSilence(connection: Connection, cause: string): void {
    this.suspect(connection, cause);
  }

  #isCurrent(connection: Connection): boolean {
    return this.#state.word === "READY" && this.#state.connection === connection;
  }

  /** A suspect that a fresh dial could not confirm is dead: its calls end now, as one connection loss. */
  #onReplacementFailed(replacement: Connection, error: string): void {
    if (this.#state.word !== "READY" || this.#state.doubt?.replacement !== replacement) return;
    const { connection, doubt } = this.#state;
    if (doubt.suspicion.hasHeard) return this.onVerified(connection, "bytes");
    const callsEnded = connection.inFlight;
    this.#hasFailed = true;
    this.owner.onSuspicion(this, { type: "connection.dead", callsEnded });
    this.#waitUntil(this.backoff.afterFailure(replacement.dialledAt), error);
    const incident = connection.killSilent();
    this.owner.onLost(this, `no sign of life, and a fresh dial failed: ${error}`, callsEnded, incident);
  }

  #redial(lost: Connection, cause: string): void {
    const at = this.backoff.afterLoss(lost.dialledAt);
    if (at <= this.deps.clock.now()) this.#enter({ word: "IDLE" }, cause);
    else this.#waitUntil(at, cause);
  }

  #waitUntil(at: number, cause: string): void {
    const { clock } = this.deps;
    const timer = clock.setTimer(() => this.#dial(), at - clock.now());
    this.#enter({ word: "TRANSIENT_FAILURE", timer, retryAt: at }, cause);
  }

  #dial(): void {
    const connection = this.#newConnection();
    this.#enter({ word: "CONNECTING", connection });
    connection.dial();
  }

  #newConnection(): Connection {
    return new Connection(this.endpoint, this.gate, this, this.deps, this.#round++);
  }

  /** Releases what only this state holds. The READY connection itself is the caller's to drain or kill. */
  #leaveState(): void {
    const state = this.#state;
    if (state.word === "CONNECTING") state.connection.kill();
    else if (state.word === "TRANSIENT_FAILURE") state.timer.cancel();
    else if (state.word === "READY") {
      state.doubt?.suspicion.cancel();
      state.doubt?.replacement?.kill();
    }
  }

  #enter(next: State, cause?: string): void {
    const from = this.#state.word;
    this.#state = next;
    if (from !== next.word) this.owner.onState(this, from, next.word, cause);
  }

  #noteError(text: string): void {
    this.#lastError = { text, at: this.deps.clock.epoch() };
  }
}
