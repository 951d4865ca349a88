import { smallestConflict } from "./conflict.js";
import { explainConflict } from "./explain.js";
import { groupByKey } from "./group-by-key.js";
import { KeySearch } from "./key-search.js";
import type { Operation } from "./operation.js";
import { type CheckLimits, type ExhaustedLimit, resolveLimits, SearchBudget } from "./search-budget.js";

export interface LinearizabilityReport {
  readonly verdict: "linearizable" | "not-linearizable" | "undecided";
  /** The key at fault, or the first one without an answer. */
  readonly key?: string;
  readonly explanation: string;
  /** Operations of the keys that were decided. */
  readonly operationsChecked: number;
  /** Operations placed by the search, wrong turns included; explaining a fault, which changes no verdict, is not counted. */
  readonly steps: number;
}

type KeyHistory = readonly [key: string, operations: readonly Operation[]];

/**
 * Whether each key of the history behaves like one register that every operation reached at one instant between its start
 * and its end. Registers are independent, so the history is linearizable exactly when each key is (Herlihy and Wing).
 *
 * @throws RangeError for a limit out of its range or an operation that returns before it starts.
 */
export function checkLinearizable(history: readonly Operation[], limits: CheckLimits): LinearizabilityReport {
  return new Check(resolveLimits(limits)).run(history);
}

class Check {
  readonly #limits: Required<CheckLimits>;
  readonly #endMs: number;
  #steps = 0;
  #operationsChecked = 0;
  #undecided: KeyHistory[] = [];
  #limitHit: ExhaustedLimit = "maxSteps";

  constructor(limits: Required<CheckLimits>) {
    this.#limits = limits;
    this.#endMs = limits.clock.now() + limits.maxMs;
  }

  run(history: readonly Operation[]): LinearizabilityReport {
    const keys = [...groupByKey(history)].sort(([, a], [, b]) => a.length - b.length);
    const fault = this.#pass(keys, true) ?? this.#pass(this.#undecided, false);
    if (fault !== undefined) return fault;
    const [first] = this.#undecided;
    if (first === undefined) {
      return this.#report("linearizable", `${this.#operationsChecked} operations fit in order`);
    }
    const { [this.#limitHit]: allowed } = this.#limits;
    const reason = `${this.#undecided.length} key(s) undecided, among them ${JSON.stringify(first[0])}: ${this.#limitHit} (${allowed}) was used up`;
    return this.#report("undecided", reason, first[0]);
  }

  /** First every key gets an equal share, so that a hard one starves nobody; what is left then goes to those still open. */
  #pass(keys: readonly KeyHistory[], isShared: boolean): LinearizabilityReport | undefined {
    this.#undecided = [];
    for (const [index, [key, operations]] of keys.entries()) {
      const left = this.#limits.maxSteps - this.#steps;
      const budget = this.#budget(isShared ? Math.ceil(left / (keys.length - index)) : left);
      const verdict = new KeySearch(operations, budget).run();
      this.#steps += budget.steps;
      if (verdict.kind === "undecided") {
        this.#limitHit = verdict.limit;
        this.#undecided.push([key, operations]);
        continue;
      }
      this.#operationsChecked += operations.length;
      if (verdict.kind === "ordered") continue;
      const conflict = smallestConflict(operations, (maxSteps) => this.#budget(maxSteps));
      return this.#report("not-linearizable", explainConflict(key, operations, conflict), key);
    }
    return undefined;
  }

  #budget(maxSteps: number): SearchBudget {
    return new SearchBudget(this.#limits, maxSteps, this.#endMs);
  }

  #report(
    verdict: LinearizabilityReport["verdict"],
    explanation: string,
    key?: string,
  ): LinearizabilityReport {
    const counts = { operationsChecked: this.#operationsChecked, steps: this.#steps };
    return { verdict, ...(key === undefined ? {} : { key }), explanation, ...counts };
  }
}
