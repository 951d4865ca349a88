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

/** What is known of an endpoint apart from its connections. All pools of a target share it, however many they are. */
export class Standing {
  /** Attempts in flight over all its connections, those that drain included (R126). */
  inFlight = 0;
  /** Attempts ever sent there. */
  picks = 0;
  /** Monotonic ms at which the last attempt that succeeded was started; 0 before the first. */
  lastSuccessAt = 0;
  readonly latency = new LatencyEstimate();
  /** Null where health is not asked for. */
  health: HealthView | null = null;
  /** Null where the load-balancing policy asks for no load reports. */
  load: LoadWeight | null = null;

  constructor(
    /** The breaker that hears of dials and connections, and of calls where methods have none of their own. */
    readonly gate: EndpointGate,
    /** The breakers of the methods, where they have their own. */
    private readonly methodGates: ((path: string) => EndpointGate) | null = null,
    readonly tally: OutlierTally = noTally,
  ) {}

  /** The breaker that attempts of this method ask and tell. */
  gateFor(path: string): EndpointGate {
    return this.methodGates === null ? this.gate : this.methodGates(path);
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

  /** Taken out of use, by its breaker or as an outlier: what the panic floor bounds. */
  get isOut(): boolean {
    return this.gate.state !== "closed" || this.tally.isEjected;
  }

  /** Monotonic ms at which a breaker in the way of this method lets a probe through; null while none says so. */
  retryAt(path: string): number | null {
    return this.gate.retryAt ?? (this.methodGates === null ? null : this.methodGates(path).retryAt);
  }

  /** True when an attempt of this method may be sent there now. Changes nothing. */
  admits(path: string): boolean {
    if (this.tally.isEjected || !this.gate.admits()) return false;
    return this.methodGates === null || this.methodGates(path).admits();
  }
}
