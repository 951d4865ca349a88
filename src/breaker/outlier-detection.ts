import type { Random } from "../core/index.js";
import { failurePercentageOutliers, type Host, successRateOutliers } from "./outlier-algorithms.js";
import type { ResolvedOutlierEjectionOptions } from "./outlier-ejection-options.js";
import { OutlierTally } from "./outlier-tally.js";

/** Which algorithm found an outlier, in gRPC's word for its metrics (gRFC A91). */
export type DetectionMethod = "success_rate" | "failure_percentage";

/** An outlier that was taken out of use. */
export interface Ejection {
  readonly method: DetectionMethod;
  /** How long at least; the first sweep after that ends it. */
  readonly forMs: number;
  /** Times ejected, less the clean intervals since. */
  readonly times: number;
}

/** An outlier that was left in use, and why, in gRPC's word for its metrics (gRFC A91). */
export interface SparedOutlier {
  readonly method: DetectionMethod;
  readonly reason: "enforcement_percentage" | "max_ejection_overflow";
}

export interface OutlierDetectionDeps {
  readonly random: Random;
  /** Monotonic ms: when the first interval begins. */
  readonly startedAt: number;
  /** The panic floor: may this endpoint be out of use beside the others that are? Asked before every ejection. */
  mayEject(address: string): boolean;
  /** Told in the middle of a sweep; `sweep` says when pickers have to be made anew. */
  onEject(address: string, ejection: Ejection): void;
  onSpare(address: string, spared: SparedOutlier): void;
  onUneject(address: string): void;
}

/** What everybody is given where nothing is counted. */
class NoTally extends OutlierTally {
  override count(): void {}
}

/**
 * Outlier detection (gRFC A50): counts how calls of each endpoint end, and at the end of each interval takes those out
 * of use that failed more than the others, for a time that grows. Breakers stand beside it: they hear each result at
 * once and know nothing of other endpoints; both together stay within one panic floor. It has no timer: call `sweep`
 * once `nextSweepAt` has come; being late only lengthens the interval.
 */
export class OutlierDetection {
  readonly #options: ResolvedOutlierEjectionOptions;
  readonly #deps: OutlierDetectionDeps;
  readonly #tallies = new Map<string, OutlierTally>();
  readonly #noTally: OutlierTally | null;
  #nextSweepAt: number;

  constructor(options: ResolvedOutlierEjectionOptions, deps: OutlierDetectionDeps) {
    const { successRate, failurePercentage, intervalMs } = options;
    const isOff = successRate === undefined && failurePercentage === undefined;
    this.#options = options;
    this.#deps = deps;
    this.#noTally = isOff ? new NoTally() : null;
    this.#nextSweepAt = isOff ? Number.POSITIVE_INFINITY : deps.startedAt + intervalMs;
  }

  /** Monotonic ms; infinite where no algorithm is asked for. */
  get nextSweepAt(): number {
    return this.#nextSweepAt;
  }

  /** The one of this address: keep it as long as the endpoint is in the set. */
  tallyFor(address: string): OutlierTally {
    if (this.#noTally !== null) return this.#noTally;
    const known = this.#tallies.get(address);
    if (known !== undefined) return known;
    const tally = new OutlierTally();
    this.#tallies.set(address, tally);
    return tally;
  }

  /** The endpoint left the set: one that comes back may be another server, and begins anew. */
  forget(address: string): void {
    this.#tallies.delete(address);
  }

  /**
   * Ends the interval, if its time is up: judges all endpoints, and lets back in those that were out long enough.
   * @returns true when an endpoint went out of use or came back
   */
  sweep(now: number): boolean {
    if (now < this.#nextSweepAt) return false;
    const { intervalMs, successRate, failurePercentage } = this.#options;
    this.#nextSweepAt = now + intervalMs;
    for (const tally of this.#tallies.values()) tally.swap();
    let isChanged = false;
    if (successRate !== undefined) {
      const outliers = successRateOutliers(this.#tallies, successRate);
      isChanged = this.#judge("success_rate", outliers, successRate.enforcementPercent, now);
    }
    if (failurePercentage !== undefined) {
      const outliers = failurePercentageOutliers(this.#tallies, failurePercentage);
      const { enforcementPercent } = failurePercentage;
      isChanged = this.#judge("failure_percentage", outliers, enforcementPercent, now) || isChanged;
    }
    return this.#letBackIn(now) || isChanged;
  }

  /**
   * Unlike in A50 an endpoint that is out already is passed over: calls that were under way as it was ejected, or that
   * both algorithms look at, would lengthen its time although nobody was sent there since.
   */
  #judge(
    method: DetectionMethod,
    outliers: readonly Host[],
    enforcementPercent: number,
    now: number,
  ): boolean {
    let isChanged = false;
    for (const [address, tally] of outliers) {
      if (tally.isEjected) continue;
      const reason = this.#spares(address, enforcementPercent);
      if (reason !== null) {
        this.#deps.onSpare(address, { method, reason });
        continue;
      }
      tally.ejectedAt = now;
      tally.multiplier += 1;
      isChanged = true;
      this.#deps.onEject(address, { method, forMs: this.#ejectionMs(tally), times: tally.multiplier });
    }
    return isChanged;
  }

  #spares(address: string, enforcementPercent: number): SparedOutlier["reason"] | null {
    if (!this.#deps.mayEject(address)) return "max_ejection_overflow";
    const roll = Math.floor(this.#deps.random.next() * 100);
    return roll < enforcementPercent ? null : "enforcement_percentage";
  }

  #letBackIn(now: number): boolean {
    let isChanged = false;
    for (const [address, tally] of this.#tallies) {
      if (tally.ejectedAt === null) tally.multiplier = Math.max(0, tally.multiplier - 1);
      else if (now > tally.ejectedAt + this.#ejectionMs(tally)) {
        tally.ejectedAt = null;
        isChanged = true;
        this.#deps.onUneject(address);
      }
    }
    return isChanged;
  }

  #ejectionMs({ multiplier }: OutlierTally): number {
    const { baseEjectionMs, maxEjectionMs } = this.#options;
    return Math.min(baseEjectionMs * multiplier, Math.max(baseEjectionMs, maxEjectionMs));
  }
}
