import type { EndpointGate } from "./endpoint-gate.js";
import { LatencyEstimate } from "./latency-estimate.js";
import type { LoadWeight } from "./load-weight.js";
import type { WatchedConnection } from "./server-watch.js";

/** What outlier ejection is to those who pick and call. */
export interface OutlierTally {
  /** Taken out of use, because it fails more than the others. Its connections stay. */
  readonly isEjected: boolean;
  count(isSuccess: boolean): void;
}

/** Where nothing is counted, and nothing ejected. */
export const noTally: OutlierTally = { isEjected: false, count: () => {} };

/** What the peer says of its health (R80-R89). Shared by all connections of the endpoint. */
export interface HealthView {
  /** "unknown" until the first word: no call goes there before (R81). */
  readonly status: "unknown" | "serving" | "not-serving";
  /** Why it is not serving, in words; null while it is, or nothing is known. */
  readonly detail: string | null;
  add(connection: WatchedConnection): void;
  remove(connection: WatchedConnection): void;
}

/** A failure counts as an attempt of at least so many ms, or a server that refuses at once would look the fastest. */
const FAILURE_MS = 1_000;

/** Where the load that an endpoint reports goes. */
export interface LoadView extends Pick<LoadWeight, "read" | "report" | "restart"> {
  /** True for reports that come with the answers, false for those of a stream. */
  readonly isPerCall: boolean;
}

/** A stream of our own over an endpoint's connections, of health or of load; begun with the first, ended with the last. */
export interface ConnectionWatch {
  add(connection: WatchedConnection): void;
  remove(connection: WatchedConnection): void;
}

/** What a standing is made of; what is absent is not asked for. */
export interface StandingParts {
  /** The breaker that hears of dials and connections, and of calls where methods have none of their own. */
  readonly gate: EndpointGate;
  /** The breakers of the methods, where they have their own. */
  readonly methodGates?: MethodGates | null;
  readonly tally?: OutlierTally;
  readonly load?: LoadView | null;
  /** Made with the first connection: most endpoints of a large target never have one. */
  readonly makeHealth?: (() => HealthView & ConnectionWatch) | null;
  readonly loadStream?: ConnectionWatch | null;
}

/** Why no attempt may be sent to an endpoint now, and the monotonic ms from which on it is tried again, where that is known. */
export interface Obstacle {
  readonly why: string;
  readonly retryAt: number | null;
}

/** The breakers of an endpoint's methods. */
export interface MethodGates {
  /** The endpoint said that it is well. */
  healthy(): void;
  of(path: string): EndpointGate;
  /** The same, unless the method was never called there. */
  known(path: string): EndpointGate | undefined;
}

/** What is known of an endpoint apart from its connections. All pools of a target share it, however many they are. */
export class Standing {
  /** Attempts in flight over all its connections, those that drain included (R126). */
  inFlight = 0;
  /** Attempts ever sent there. */
  picks = 0;
  /** Monotonic ms at which the last attempt that succeeded was started; 0 before the first. */
  lastSuccessAt = 0;
  readonly latency = new LatencyEstimate();
  /** Null where health is not asked for, and before the first connection. */
  health: (HealthView & ConnectionWatch) | null = null;
  readonly gate: EndpointGate;
  readonly tally: OutlierTally;
  /** Null where the load-balancing policy asks for no load reports. */
  readonly load: LoadView | null;
  readonly #parts: StandingParts;
  #connections = 0;
  readonly #methodGates: MethodGates | null;

  constructor(parts: StandingParts) {
    this.#parts = parts;
    this.gate = parts.gate;
    this.tally = parts.tally ?? noTally;
    this.load = parts.load ?? null;
    this.#methodGates = parts.methodGates ?? null;
  }

  /** A connection is up. */
  addConnection(connection: WatchedConnection): void {
    // READY again: its reports are waited for anew (R121).
    if (this.#connections++ === 0) this.load?.restart();
    this.health ??= this.#parts.makeHealth?.() ?? null;
    this.health?.add(connection);
    this.#parts.loadStream?.add(connection);
  }

  /** A connection takes no more calls. */
  removeConnection(connection: WatchedConnection): void {
    this.#connections--;
    this.health?.remove(connection);
    this.#parts.loadStream?.remove(connection);
  }

  /** It said that it is well: closes the breakers that wait for such a word. */
  healthy(): void {
    this.gate.healthy?.();
    this.#methodGates?.healthy();
  }

  /** The breaker that attempts of this method ask and tell. */
  gateFor(path: string): EndpointGate {
    return this.#methodGates === null ? this.gate : this.#methodGates.of(path);
  }

  /** An attempt was answered. @param latencyMs how long that took; null where it says nothing, as of a stream's end */
  succeeded(startedAt: number, latencyMs: number | null, now: number): void {
    this.lastSuccessAt = startedAt;
    this.tally.count(true);
    if (latencyMs !== null) this.latency.record(latencyMs, now);
  }

  /** An attempt met a failure of the endpoint, `ms` after it began. */
  failed(ms: number, now: number): void {
    this.tally.count(false);
    this.latency.record(Math.max(ms, FAILURE_MS), now);
  }

  /** A dial failed, or a connection was lost: one failure, however many calls it had. */
  lostConnection(): void {
    this.gate.fail(false, true);
    this.tally.count(false);
  }

  /**
   * Taken out of use, by a breaker or as an outlier: what the panic floor bounds.
   * @param path to count the breaker of that method, too
   */
  isOut(path: string | null = null): boolean {
    if (this.gate.state !== "closed" || this.tally.isEjected) return true;
    return path !== null && (this.#methodGates?.known(path)?.state ?? "closed") !== "closed";
  }

  /** True while an attempt of any method may be sent there, without a probe. */
  get isPlain(): boolean {
    return this.#methodGates === null && !this.tally.isEjected && this.gate.state === "closed";
  }

  /** True when an attempt of this method may be sent there now. Changes nothing. */
  admits(path: string): boolean {
    if (this.tally.isEjected || !this.gate.admits()) return false;
    return this.#methodGates?.known(path)?.admits() ?? true;
  }

  /** Why no attempt of this method may be sent there now, and the monotonic ms from which on it is tried again. */
  obstacle(path: string): Obstacle {
    if (this.tally.isEjected) return { why: "it failed more than the others and is ejected", retryAt: null };
    const method = this.#methodGates?.known(path);
    const gate = this.gate.state === "closed" && method !== undefined ? method : this.gate;
    const { state, retryAt } = gate;
    if (retryAt !== null) return { why: "", retryAt };
    return { why: state === "half-open" ? "a probe is under way" : "it was isolated by hand", retryAt };
  }
}
