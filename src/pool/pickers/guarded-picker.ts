import { saidBy } from "../../core/index.js";
import { AskedFilter } from "./asked-filter.js";
import type { Candidate, PickCall, Picker, PickerInput, PickerPolicy, PickFilter } from "./picker.js";
import { roundRobin } from "./round-robin.js";

const SCOPES: readonly unknown[] = ["all", "first", "picked"];
/** Characters of a wrong value that an error tells. */
const MAX_SHOWN = 80;

/** Told of what a picker did wrong. */
type Tell = (what: string) => void;

/** A picker that we did not write, with a round-robin one beside it for picks that it gets wrong. */
class GuardedPicker<C extends Candidate> implements Picker<C> {
  readonly #candidates: readonly C[];
  readonly #filter: AskedFilter<C>;
  readonly #fallback: Picker<C>;
  /** Null where it could not be made. */
  readonly #own: Picker<C> | null;

  constructor(
    input: PickerInput<C>,
    private readonly policy: PickerPolicy,
    private readonly tell: Tell,
  ) {
    const { candidates, previous } = input;
    const last = previous instanceof GuardedPicker ? (previous as GuardedPicker<C>) : null;
    this.#candidates = candidates;
    this.#filter = new AskedFilter(candidates);
    this.#fallback = roundRobin.create({ ...input, previous: last === null ? null : last.#fallback });
    // A list of its own: one that sorts it must not disorder ours.
    this.#own = this.#make({
      ...input,
      candidates: [...candidates],
      previous: last === null ? null : last.#own,
    });
  }

  pick(filter: PickFilter<C>, call: PickCall): C | null {
    return this.#answerOf(this.#filter.begin(filter), call) ?? this.#pickInItsPlace(filter, call);
  }

  #make(input: PickerInput<C>): Picker<C> | null {
    try {
      const picker: unknown = this.policy.create(input);
      if (typeof (picker as Picker<C> | null)?.pick === "function") return picker as Picker<C>;
      disarm(picker);
      this.tell("its create() answered no object with a method pick()");
    } catch (error) {
      this.tell(`its create() threw: ${saidBy(error)}`);
    }
    return null;
  }

  #answerOf(filter: AskedFilter<C>, call: PickCall): C | null {
    if (this.#own === null) return null;
    let answer: unknown;
    try {
      answer = this.#own.pick(filter, call);
    } catch (error) {
      this.tell(`its pick() threw: ${saidBy(error)}`);
      return null;
    }
    if (filter.knows(answer)) {
      if (this.#mayConnect(answer, call) || filter.hasAccepted(answer)) return answer;
      this.tell("its pick() answered a candidate that the filter does not accept");
    } else if (answer !== null) {
      disarm(answer);
      this.tell("its pick() answered what is none of its candidates");
    } else if (filter.isAnswerDue) {
      this.tell("its pick() answered null, which is for a filter that accepts none");
    }
    return null;
  }

  #pickInItsPlace(filter: PickFilter<C>, call: PickCall): C | null {
    const ready = this.#fallback.pick(filter, call);
    if (ready !== null || this.policy.connects !== "picked") return ready;
    // Nobody else connects an endpoint under such a policy.
    return this.#candidates.find((candidate) => this.#mayConnect(candidate, call)) ?? null;
  }

  #mayConnect(candidate: C, { path }: PickCall): boolean {
    const { state } = candidate;
    if (this.policy.connects !== "picked" || (state !== "IDLE" && state !== "CONNECTING")) return false;
    return !candidate.isBarred(path);
  }
}

/**
 * A user's policy made safe: where it throws, or answers what it must not, round robin chooses for that pick. A picker
 * that answers null though an endpoint is usable is overruled in the same way: a call that waits needs a reason.
 *
 * @param name what it was registered as, which users know it by
 * @param onTrouble told once of each kind of mistake, in a sentence
 * @throws TypeError for what is no policy
 */
export function guardedPolicy(
  policy: PickerPolicy,
  name: string,
  onTrouble: (message: string) => void,
): PickerPolicy {
  const { connects, isShuffled, loadReports } = checkedPolicy(policy, name);
  const told = new Set<string>();
  const tell: Tell = (what) => {
    // An error's text may differ each time; its kind is what stands before it.
    const [kind = what] = what.split(":", 1);
    if (told.has(kind)) return;
    told.add(kind);
    onTrouble(`load-balancing policy ${name}: ${what}; round_robin chooses in its place`);
  };
  return {
    name,
    connects,
    ...(isShuffled === undefined ? {} : { isShuffled }),
    ...(loadReports === undefined ? {} : { loadReports }),
    create: (input) => new GuardedPicker(input, policy, tell),
  };
}

/**
 * What a user's function answered, if it is a policy.
 *
 * @throws TypeError that says by the registered name what it lacks
 */
export function checkedPolicy(policy: unknown, registeredAs: string): PickerPolicy {
  disarm(policy);
  const { name, connects, create } = Object(policy) as Partial<PickerPolicy>;
  const lacks = (what: string) =>
    new TypeError(`the policy that the function of registerPicker("${registeredAs}") answered ${what}`);
  if (typeof name !== "string" || name === "") throw lacks("has no name");
  if (typeof create !== "function") throw lacks("has no method create()");
  if (!SCOPES.includes(connects)) {
    throw lacks(`has connects ${shown(connects)}; allowed: "all", "first", "picked"`);
  }
  return policy as PickerPolicy;
}

function shown(connects: unknown): string {
  return typeof connects === "string" ? JSON.stringify(connects.slice(0, MAX_SHOWN)) : typeof connects;
}

/** An async method answers a promise: one that fails unheard would end the process. */
function disarm(answer: unknown): void {
  if (answer instanceof Promise) answer.catch(() => {});
}
