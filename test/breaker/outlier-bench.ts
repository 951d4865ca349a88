import type { Ejection, SparedOutlier } from "../../src/breaker/outlier-detection.js";
import { OutlierDetection } from "../../src/breaker/outlier-detection.js";
import {
  type OutlierEjectionOptions,
  outlierEjectionOptionsSchema,
} from "../../src/breaker/outlier-ejection-options.js";

/** Outlier detection with its surroundings: a floor that can be switched, loaded dice, and what it told. */
export class OutlierBench {
  readonly detection: OutlierDetection;
  readonly ejected: [address: string, ejection: Ejection][] = [];
  readonly spared: [address: string, spared: SparedOutlier][] = [];
  readonly letBackIn: string[] = [];
  now = 1_000;
  mayEject = true;
  roll = 0;

  constructor(options: OutlierEjectionOptions) {
    this.detection = new OutlierDetection(outlierEjectionOptionsSchema.parse(options), {
      random: { next: () => this.roll },
      startedAt: this.now,
      mayEject: () => this.mayEject,
      onEject: (address, ejection) => this.ejected.push([address, ejection]),
      onSpare: (address, spared) => this.spared.push([address, spared]),
      onUneject: (address) => this.letBackIn.push(address),
    });
  }

  /** Calls that end at an endpoint. */
  calls(address: string, successes: number, failures: number): void {
    const tally = this.detection.tallyFor(address);
    for (let n = 0; n < successes; n++) tally.count(true);
    for (let n = 0; n < failures; n++) tally.count(false);
  }

  /** Endpoints that get on well: `ok-0`, `ok-1`, and so on. */
  healthy(hosts: number, calls = 100): void {
    for (let n = 0; n < hosts; n++) this.calls(`ok-${n}`, calls, 0);
  }

  /** Lets the interval end to the millisecond. */
  sweep(): boolean {
    this.now = this.detection.nextSweepAt;
    return this.detection.sweep(this.now);
  }

  isEjected(address: string): boolean {
    return this.detection.tallyFor(address).isEjected;
  }
}
