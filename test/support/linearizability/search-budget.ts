import type { Clock } from "../../../src/core/index.js";

/** How much a check may cost before it gives up with "undecided". */
export interface CheckLimits {
  /** Where `maxMs` is measured. */
  readonly clock: Pick<Clock, "now">;
  /** Operations placed, over all keys, wrong turns included. Default 5,000,000; from 1. */
  readonly maxSteps?: number;
  /** Dead ends remembered at once, about 150 bytes each. Default 500,000; from 1. */
  readonly maxMemoryStates?: number;
  /** Time for the whole check. Default 10,000; from 0. */
  readonly maxMs?: number;
}

export type ExhaustedLimit = "maxSteps" | "maxMemoryStates" | "maxMs";

/** What is left of the limits for one search. */
export class SearchBudget {
  readonly #limits: Required<CheckLimits>;
  readonly #maxSteps: number;
  readonly #endMs: number;
  #steps = 0;

  constructor(limits: Required<CheckLimits>, maxSteps: number, endMs: number) {
    this.#limits = limits;
    this.#maxSteps = maxSteps;
    this.#endMs = endMs;
  }

  get steps(): number {
    return this.#steps;
  }

  step(): void {
    this.#steps += 1;
  }

  /** The limit that is used up, if one is; the clock is read at the start and then now and again. */
  exhausted(turn: number, memoryStates: number): ExhaustedLimit | undefined {
    if (this.#steps >= this.#maxSteps) return "maxSteps";
    if (memoryStates >= this.#limits.maxMemoryStates) return "maxMemoryStates";
    if (turn % 128 === 0 && this.#limits.clock.now() >= this.#endMs) return "maxMs";
    return undefined;
  }
}

/** @throws RangeError for a limit out of its range. */
export function resolveLimits(limits: CheckLimits): Required<CheckLimits> {
  const resolved = { maxSteps: 5_000_000, maxMemoryStates: 500_000, maxMs: 10_000, ...limits };
  for (const [name, lowest] of [
    ["maxSteps", 1],
    ["maxMemoryStates", 1],
    ["maxMs", 0],
  ] as const) {
    if (!(resolved[name] >= lowest)) {
      throw new RangeError(`${name} is ${resolved[name]}; allowed are numbers from ${lowest}`);
    }
  }
  return resolved;
}
