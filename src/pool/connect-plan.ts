import type { Clock, ConnectivityWord, Timer } from "../core/index.js";
import { priorityOf } from "./picker-tiers.js";
import type { ConnectScope } from "./pickers/index.js";
import type { Subchannel } from "./subchannel.js";

/** Happy Eyeballs: the next address is tried when the last one has not answered for so long (R114). */
const NEXT_ADDRESS_MS = 250;
/** The next priority is connected when the better ones have not come up for so long. */
const NEXT_PRIORITY_MS = 1_000;

export interface ConnectPlanDeps {
  readonly clock: Clock;
  readonly scope: ConnectScope;
  /** Endpoints connected without being asked for. */
  readonly limit: number;
  /** Time has passed, and more may be connected now. */
  onDue(): void;
}

/** Decides which endpoints are connected without a call having asked for them. */
export class ConnectPlan {
  /** Since when there is no good endpoint; null while there is one. */
  #searchingSince: number | null = null;
  #timer: Timer | null = null;
  /** Somebody wants to know whether an endpoint can be reached, without a call that says which. */
  #isAsked = false;

  constructor(private readonly deps: ConnectPlanDeps) {}

  /** @param order all endpoints, the preferred ones first */
  step(order: readonly Subchannel[]): void {
    const { scope } = this.deps;
    if (scope === "all") this.#connectAll(order);
    else if (scope === "first") this.#connectFirst(order);
    else this.#connectAnother(order);
  }

  /** Connects one endpoint where calls would say which. */
  ask(): void {
    this.#isAsked = true;
  }

  /** Forgets what was asked, too. */
  end(): void {
    this.#isAsked = false;
    this.stop();
  }

  stop(): void {
    this.#searchingSince = null;
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Those of the best priority, and of the next one while none of the better is any good. */
  #connectAll(order: readonly Subchannel[]): void {
    let connected = 0;
    let isGood = false;
    let isFresh = false;
    for (let at = 0; at < order.length && connected < this.deps.limit; at++) {
      const subchannel = order[at] as Subchannel;
      const isNextPriority = at > 0 && priorityOf(subchannel) !== priorityOf(order[at - 1] as Subchannel);
      if (isNextPriority && isGood) break;
      if (isNextPriority && isFresh && !this.#hasSearchedFor(NEXT_PRIORITY_MS)) return;
      if (subchannel.state === "IDLE") subchannel.connect();
      const isConnecting = subchannel.aggregateState === "CONNECTING";
      isFresh ||= isConnecting;
      isGood ||= subchannel.isGood;
      if (isConnecting || subchannel.state === "CONNECTING" || subchannel.isGood) connected++;
    }
    if (isGood) this.stop();
  }

  /** One, and the next one while it does not answer. */
  #connectFirst(order: readonly Subchannel[]): void {
    const good = order.find(({ isGood }) => isGood);
    if (good !== undefined) return this.#settleOn(good, order);
    let trying = 0;
    for (const subchannel of order) {
      if (trying > 0 && !this.#hasSearchedFor(trying * NEXT_ADDRESS_MS)) return;
      if (subchannel.state === "IDLE") subchannel.connect();
      // One that has failed is tried on, but no reason to wait.
      if (subchannel.aggregateState === "CONNECTING") trying++;
    }
  }

  /** Once one has failed, another is tried without waiting for a call whose key leads there (R131). */
  #connectAnother(order: readonly Subchannel[]): void {
    const has = (state: ConnectivityWord) => order.some(({ aggregateState }) => aggregateState === state);
    if (has("READY") || has("CONNECTING") || !(this.#isAsked || has("TRANSIENT_FAILURE"))) return;
    order.find(({ state, standing }) => state === "IDLE" && !standing.isOut())?.connect();
  }

  /** The others need not come up any more, except those that calls would rather go to. */
  #settleOn(good: Subchannel, order: readonly Subchannel[]): void {
    this.stop();
    for (const other of order) {
      const isUnderWay = other.state === "CONNECTING" || other.state === "TRANSIENT_FAILURE";
      if (isUnderWay && priorityOf(other) >= priorityOf(good)) other.drain("another endpoint is connected");
    }
  }

  #hasSearchedFor(ms: number): boolean {
    const { clock, onDue } = this.deps;
    const now = clock.now();
    this.#searchingSince ??= now;
    const leftMs = this.#searchingSince + ms - now;
    if (leftMs <= 0) return true;
    this.#timer ??= clock.setTimer(() => {
      this.#timer = null;
      onDue();
    }, leftMs);
    return false;
  }
}
