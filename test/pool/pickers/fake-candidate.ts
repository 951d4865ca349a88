import type { ConnectivityWord, Endpoint } from "../../../src/core/index.js";
import type { Candidate, PickCall, PickerInput, PickFilter } from "../../../src/pool/pickers/picker.js";
import { ManualClock } from "../../support/manual-clock.js";
import { SeededRandom } from "../../support/seeded-random.js";

/** An endpoint whose numbers a test sets by hand. */
export class FakeCandidate implements Candidate {
  readonly endpoint: Endpoint;
  state: ConnectivityWord = "READY";
  inFlight = 0;
  lastSuccessAt = 0;
  /** What `latencyMs` answers, whatever the time. */
  latency = -1;
  /** What `reportedWeight` answers, whatever the time. */
  weight = 0;
  /** What `isBarred` answers, whatever the method. */
  barred = false;

  constructor(endpoint: string | Endpoint) {
    this.endpoint = typeof endpoint === "string" ? { address: endpoint } : endpoint;
  }

  latencyMs(): number {
    return this.latency;
  }

  reportedWeight(): number {
    return this.weight;
  }

  isBarred(): boolean {
    return this.barred;
  }
}

/** `10.0.0.0:1`, `10.0.0.1:1` and so on; with weights, one endpoint for each. */
export function fakeCandidates(countOrWeights: number | readonly number[]): FakeCandidate[] {
  const count = typeof countOrWeights === "number" ? countOrWeights : countOrWeights.length;
  return Array.from({ length: count }, (_, index) => {
    const address = `10.0.${index >> 8}.${index & 255}:1`;
    return new FakeCandidate(
      typeof countOrWeights === "number" ? address : { address, weight: countOrWeights[index]! },
    );
  });
}

/** What a picker is made of; without `input`, a first picker at a standing clock with seed 1. */
export function pickerInput<C extends Candidate>(
  candidates: readonly C[],
  input: Partial<PickerInput<C>> = {},
): PickerInput<C> {
  return { candidates, previous: null, clock: new ManualClock(), random: new SeededRandom(1), ...input };
}

export const ANY: PickFilter = { accepts: () => true };
export const NOBODY: PickFilter = { accepts: () => false };

export function allBut<C extends Candidate>(...refused: readonly C[]): PickFilter<C> {
  return { accepts: (candidate) => !refused.includes(candidate) };
}

/** A call as a picker sees it, at the time of a clock that nobody moved. */
export function pickCall(
  hashKey: string | null = null,
  headers: Readonly<Record<string, string>> = {},
  now = new ManualClock().now(),
): PickCall {
  return { path: "/test.Service/Method", hashKey, now, header: (name) => headers[name] ?? null };
}

/** A call without anything of its own, at this clock's time. */
export function callAt(clock: ManualClock): PickCall {
  return pickCall(null, {}, clock.now());
}

export const CALL = pickCall();
