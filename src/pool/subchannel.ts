import type { ConnectivityWord, Endpoint } from "../core/index.js";
import { ConnectionKeeper } from "./connection-keeper.js";
import type { KeeperDeps } from "./dialled-connections.js";
import type { Candidate } from "./pickers/index.js";
import type { ReconnectBackoff } from "./reconnect-backoff.js";
import type { Incident } from "./slot.js";
import type { Standing } from "./standing.js";
import type { SubchannelOwner, SuspicionChange } from "./subchannel-owner.js";

/** One endpoint of a pool: its connections, and what they, its health and its standing make of it. */
export class Subchannel extends ConnectionKeeper implements Candidate {
  /** R107: a failed endpoint counts as failed until it is READY, whatever it does meanwhile. */
  #hasFailed = false;
  #lastError: { readonly text: string; readonly at: number } | null = null;
  /** Its place in the order of preference. */
  rank = 0;

  constructor(
    endpoint: Endpoint,
    standing: Standing,
    private readonly owner: SubchannelOwner<Subchannel>,
    backoff: ReconnectBackoff,
    deps: KeeperDeps,
  ) {
    super(endpoint, standing, backoff, deps);
  }

  get inFlight(): number {
    return this.standing.inFlight;
  }

  get lastSuccessAt(): number {
    return this.standing.lastSuccessAt;
  }

  latencyMs(now: number): number {
    return this.standing.latency.read(now);
  }

  isBarred(path: string): boolean {
    return (this.#hasFailed && this.state !== "READY") || !this.standing.admits(path);
  }

  reportedWeight(now: number): number {
    return this.standing.load?.read(now) ?? 0;
  }

  /** The state as the target's aggregate sees it. The short wait before redialling a lost connection is no failure. */
  get aggregateState(): ConnectivityWord {
    if (this.state === "READY") return this.#readyState;
    if (this.#hasFailed) return "TRANSIENT_FAILURE";
    return this.state === "TRANSIENT_FAILURE" ? "CONNECTING" : this.state;
  }

  /** Health is reported upward; the connections stay what they are (R86). */
  get #readyState(): ConnectivityWord {
    const status = this.standing.health?.status ?? "serving";
    if (status === "not-serving") return "TRANSIENT_FAILURE";
    const isWaiting = status === "unknown" || (!this.set.isTrusted && this.set.isUnverified);
    return isWaiting ? "CONNECTING" : "READY";
  }

  /** READY, but nobody knows whether the peer still lives. */
  get isSuspect(): boolean {
    return this.state === "READY" && !this.set.isTrusted;
  }

  /** Calls may go there: READY, serving, and alive as far as is known. */
  get isUsable(): boolean {
    return this.set.isTrusted && this.aggregateState === "READY";
  }

  /**
   * True while nothing speaks against it for a call of any method, as `note` found it last: a pick among thousands looks
   * at this one field, where following all it depends on would cost a cache miss each.
   */
  isPlain = false;

  /** Something of it, of its connections or of its standing has changed. */
  note(): void {
    this.isPlain = this.isUsable && this.standing.isPlain && this.set.size === 1;
  }

  /** Usable, with nothing against it. One that is not gives others reason to be connected in its stead. */
  get isGood(): boolean {
    return this.isUsable && !this.standing.isOut();
  }

  /** The last connection error, with its epoch time. */
  get lastError(): { readonly text: string; readonly at: number } | null {
    return this.#lastError;
  }

  /** What keeps calls from going there, in words. */
  get trouble(): string {
    const said = this.state === "READY" ? this.standing.health?.detail : this.#lastError?.text;
    return said ?? this.aggregateState;
  }

  override drain(cause: string, drainMs?: number): void {
    // What failed before a pause says nothing about the time after it.
    this.#hasFailed = false;
    super.drain(cause, drainMs);
  }

  protected tellState(from: ConnectivityWord, to: ConnectivityWord, cause?: string): void {
    if (to === "READY") this.#hasFailed = false;
    if (from === to) this.owner.onStanding(this);
    else this.owner.onState(this, from, to, cause);
  }

  protected noteError(text: string, isFailure: boolean): void {
    this.#lastError = { text, at: this.deps.clock.epoch() };
    this.#hasFailed ||= isFailure;
  }

  protected tellDialFailed(error: string, isSpare: boolean): void {
    this.owner.onDialFailed(this, error, isSpare);
  }

  protected tellLost(cause: string, callsInFlight: number, incident: Incident): void {
    this.owner.onLost(this, cause, callsInFlight, incident);
  }

  protected tellDraining(cause: string): void {
    this.owner.onDraining(this, cause);
  }

  tellSuspicion(change: SuspicionChange): void {
    this.owner.onSuspicion(this, change);
  }

  protected tellEndedByPeer(livedMs: number): void {
    this.owner.onEndedByPeer(livedMs);
  }

  protected tellRoom(): void {
    this.owner.onRoom();
  }
}
