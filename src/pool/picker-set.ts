import type { Clock, Random } from "../core/index.js";
import { localShareOf, pickFromTier, priorityOf, type Tier } from "./picker-tiers.js";
import {
  type Candidate,
  type PickCall,
  type Picker,
  type PickerPolicy,
  type PickFilter,
  pickFirst,
} from "./pickers/index.js";
import { SlowStart } from "./slow-start.js";
import type { Subchannel } from "./subchannel.js";

export interface PickerSetDeps {
  readonly policy: PickerPolicy;
  readonly clock: Clock;
  readonly random: Random;
  /** Our own zone; null where zones mean nothing. */
  readonly zone: string | null;
  readonly slowStartMs: number;
  /** Calls in flight that one connection may have. */
  readonly maxStreams: number;
  /** The endpoints that a policy that connects by itself picks from; in the order of preference. */
  ready(): readonly Subchannel[];
  /** All endpoints, in the order of preference. */
  all(): readonly Subchannel[];
  /** True while something better than a suspect is on its way. */
  isHopeful(): boolean;
}

/**
 * The snapshots that picks are made from: those of the best priority first, our own zone first, and endpoints whose
 * life is in doubt only where nothing else is left. Made anew, as a whole, at the first pick after a change.
 */
export class PickerSet {
  readonly #deps: PickerSetDeps;
  #tiers: readonly Tier[] = [];
  #pickers = new Map<string, Picker<Subchannel>>();
  #suspects: Picker<Subchannel> | null = null;
  #isStale = true;
  /** What every choice must be; `path` is that of the call which picks at the moment. */
  readonly #usable = {
    path: "",
    maxStreams: 0,
    accepts(candidate: Subchannel): boolean {
      if (candidate.isPlain && candidate.standing.inFlight < this.maxStreams) return true;
      return candidate.isUsable && candidate.standing.admits(this.path) && candidate.free() !== null;
    },
  };
  readonly #trusting = {
    accepts: (candidate: Subchannel) =>
      candidate.standing.admits(this.#usable.path) && candidate.free(true) !== null,
  };
  readonly #slowStart: SlowStart;

  constructor(deps: PickerSetDeps) {
    this.#deps = deps;
    this.#usable.maxStreams = deps.maxStreams;
    // Where a policy keeps to one endpoint, easing would send its calls elsewhere.
    const slowStartMs = deps.policy.connects === "all" ? deps.slowStartMs : 0;
    this.#slowStart = new SlowStart(slowStartMs, deps.clock, deps.random, this.#usable);
  }

  /** An endpoint has changed. */
  invalidate(): void {
    this.#isStale = true;
  }

  /**
   * Free of allocations where the first choice is usable.
   * @param tried endpoints to avoid while another one is usable
   * @returns an endpoint to send the attempt to, or one that a policy wants connected first
   */
  choose(call: PickCall, tried: PickFilter<Candidate> | null): Subchannel | null {
    if (this.#isStale) this.#rebuild();
    this.#usable.path = call.path;
    const untried = tried === null ? null : this.#chooseWith(both(this.#usable, tried), call);
    return untried ?? this.#chooseWith(this.#usable, call) ?? this.#chooseSuspect(call, tried);
  }

  #chooseWith(filter: PickFilter<Subchannel>, call: PickCall): Subchannel | null {
    const isEased = this.#slowStart.isActive;
    for (const tier of this.#tiers) {
      const eased = isEased ? this.#pick(tier, this.#slowStart.within(filter), call) : null;
      const chosen = eased ?? this.#pick(tier, filter, call);
      if (chosen !== null) return chosen;
    }
    return null;
  }

  #pick(tier: Tier, filter: PickFilter<Subchannel>, call: PickCall): Subchannel | null {
    return pickFromTier(tier, filter, call, this.#deps.random);
  }

  #chooseSuspect(call: PickCall, tried: PickFilter<Candidate> | null): Subchannel | null {
    const picker = this.#suspects;
    if (picker === null || this.#deps.isHopeful()) return null;
    const untried = tried === null ? null : picker.pick(both(this.#trusting, tried), call);
    return untried ?? picker.pick(this.#trusting, call);
  }

  #rebuild(): void {
    this.#isStale = false;
    const { policy } = this.#deps;
    const ready = this.#deps.ready();
    const candidates =
      policy.connects === "picked" ? this.#deps.all() : ready.filter(({ isUsable }) => isUsable);
    const before = this.#pickers;
    this.#pickers = new Map();
    this.#tiers = this.#tiersOf(candidates, before);
    // Where all are in doubt, the one that answered last is the best guess.
    const suspects = ready
      .filter(({ isSuspect, aggregateState }) => isSuspect && aggregateState === "READY")
      .sort((a, b) => b.lastSuccessAt - a.lastSuccessAt);
    this.#suspects = this.#pickerOf(pickFirst, suspects, null);
    this.#slowStart.watch(candidates);
  }

  #tiersOf(candidates: readonly Subchannel[], before: ReadonlyMap<string, Picker<Subchannel>>): Tier[] {
    const { zone } = this.#deps;
    const groups = groupBy(candidates);
    return [...groups].map(([priority, members]) => {
      const isLocal = ({ endpoint }: Subchannel) => zone !== null && endpoint.zone === zone;
      const total =
        zone === null
          ? 0
          : this.#deps.all().filter((member) => isLocal(member) && priorityOf(member) === priority).length;
      const local = members.filter(isLocal);
      const usable = local.filter((member) => this.#counts(member)).length;
      const picker = (name: string, of: readonly Subchannel[]) =>
        this.#keep(`${priority} ${name}`, of, before);
      return {
        priority,
        local: picker("local", local),
        rest: picker(
          "rest",
          members.filter((member) => !isLocal(member)),
        ),
        localShare: localShareOf(usable, total),
      };
    });
  }

  /** True for one that takes its share of the load: what is merely not connected yet does, where calls connect it. */
  #counts({ isUsable, aggregateState, standing }: Subchannel): boolean {
    const isPicked = this.#deps.policy.connects === "picked";
    return !standing.isOut() && (isPicked ? aggregateState !== "TRANSIENT_FAILURE" : isUsable);
  }

  #keep(
    key: string,
    candidates: readonly Subchannel[],
    before: ReadonlyMap<string, Picker<Subchannel>>,
  ): Picker<Subchannel> | null {
    const picker = this.#pickerOf(this.#deps.policy, candidates, before.get(key) ?? null);
    if (picker !== null) this.#pickers.set(key, picker);
    return picker;
  }

  #pickerOf(
    policy: PickerPolicy,
    candidates: readonly Subchannel[],
    previous: Picker<Subchannel> | null,
  ): Picker<Subchannel> | null {
    const { clock, random } = this.#deps;
    return candidates.length === 0 ? null : policy.create({ candidates, previous, clock, random });
  }
}

/** By priority, in the order they stand in, which is that of preference. */
function groupBy(candidates: readonly Subchannel[]): Map<number, Subchannel[]> {
  const groups = new Map<number, Subchannel[]>();
  for (const candidate of candidates) {
    const priority = priorityOf(candidate);
    const group = groups.get(priority);
    if (group === undefined) groups.set(priority, [candidate]);
    else group.push(candidate);
  }
  return groups;
}

function both(a: PickFilter<Subchannel>, b: PickFilter<Candidate>): PickFilter<Subchannel> {
  return { accepts: (candidate) => a.accepts(candidate) && b.accepts(candidate) };
}
