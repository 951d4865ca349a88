import { EdfSchedule } from "./edf-schedule.js";
import { periodsOf } from "./periods.js";
import type {
  Candidate,
  LoadReportSource,
  PickCall,
  Picker,
  PickerInput,
  PickerPolicy,
  PickFilter,
} from "./picker.js";
import type { ResolvedWeightedRoundRobinOptions } from "./weighted-round-robin-options.js";

/** Where weights come from, and after how many ms they are looked at again; null never. */
interface Weights {
  readonly of: (candidate: Candidate, now: number) => number;
  readonly updateMs: number | null;
}

const fromEndpoints: Weights = { of: ({ endpoint }) => endpoint.weight ?? 1, updateMs: null };

/** Each endpoint as often as it weighs, evenly spread. */
class WeightedRoundRobinPicker<C extends Candidate> implements Picker<C> {
  readonly #candidates: readonly C[];
  readonly #weights: Weights;
  readonly #schedule: EdfSchedule;
  #weighedAt: number;

  constructor({ candidates, previous, clock, random }: PickerInput<C>, weights: Weights) {
    this.#candidates = candidates;
    this.#weights = weights;
    this.#weighedAt = clock.now();
    const phases = new Float64Array(candidates.length);
    for (let index = 0; index < phases.length; index++) phases[index] = random.next();
    if (previous instanceof WeightedRoundRobinPicker) previous.#carryOver(candidates, phases);
    this.#schedule = new EdfSchedule(this.#periods(), phases);
  }

  pick(filter: PickFilter<C>, { now }: PickCall): C | null {
    const candidates = this.#candidates;
    const schedule = this.#schedule;
    // The last turn is still open where all were refused, or where the filter threw.
    schedule.giveUp();
    this.#renew(now);
    for (let index = schedule.next; index >= 0; index = schedule.next) {
      const candidate = candidates[index] as C;
      if (filter.accepts(candidate)) {
        schedule.take();
        return candidate;
      }
      schedule.passOver();
    }
    return null;
  }

  /** No timer does this: nobody needs the weights between two picks. */
  #renew(now: number): void {
    const { updateMs } = this.#weights;
    if (updateMs === null || now - this.#weighedAt < updateMs) return;
    this.#weighedAt = now;
    this.#schedule.setPeriods(this.#periods());
  }

  #periods(): Float64Array {
    const candidates = this.#candidates;
    const weights = new Float64Array(candidates.length);
    for (let index = 0; index < weights.length; index++)
      weights[index] = this.#weights.of(candidates[index] as C, this.#weighedAt);
    return periodsOf(weights);
  }

  /** Endpoints that stay keep their phase; new ones have any, or clients started together would move in step (R123). */
  #carryOver(candidates: readonly C[], phases: Float64Array): void {
    const before = this.#candidates;
    let places: Map<C, number> | null = null;
    // Most updates change one endpoint: before it all stand where they stood, behind it they may have moved by one.
    let place = 0;
    for (let index = 0; index < candidates.length; index++) {
      const candidate = candidates[index] as C;
      if (before[place] !== candidate) {
        places ??= placesOf(before);
        place = places.get(candidate) ?? -1;
      }
      if (place >= 0) phases[index] = this.#schedule.phase(place);
      place++;
    }
  }
}

/** Shares calls by weight: those of discovery, or those that servers report of themselves (gRFC A58). */
export function weightedRoundRobin(options: ResolvedWeightedRoundRobinOptions): PickerPolicy {
  const isReported = options.source === "load_reports";
  const weights: Weights = isReported
    ? { of: (candidate, now) => candidate.reportedWeight(now), updateMs: options.weightUpdateMs }
    : fromEndpoints;
  return {
    name: "weighted_round_robin",
    connects: "all",
    ...(isReported && { loadReports: loadReportsOf(options) }),
    create: (input) => new WeightedRoundRobinPicker(input, weights),
  };
}

function loadReportsOf(options: ResolvedWeightedRoundRobinOptions): LoadReportSource {
  return {
    isOutOfBand: options.oobLoadReports,
    oobReportingPeriodMs: options.oobReportingPeriodMs,
    blackoutMs: options.blackoutMs,
    weightExpirationMs: options.weightExpirationMs,
    errorUtilizationPenalty: options.errorUtilizationPenalty,
    metricNames: options.metricNames,
  };
}

function placesOf<C>(candidates: readonly C[]): Map<C, number> {
  const places = new Map<C, number>();
  for (let index = 0; index < candidates.length; index++) places.set(candidates[index] as C, index);
  return places;
}
