import { type Entry, type KeyProblem, keyProblem } from "./key-problem.js";
import type { TextState } from "./observed-texts.js";
import type { Operation } from "./operation.js";
import { RemainingOperations } from "./remaining-operations.js";
import type { ExhaustedLimit, SearchBudget } from "./search-budget.js";

/** `stuck`: all orders were ruled out. */
export type KeyVerdict =
  | { readonly kind: "ordered" }
  | { readonly kind: "stuck" }
  | { readonly kind: "undecided"; readonly limit: ExhaustedLimit };

interface Move {
  readonly entry: Entry;
  readonly state: TextState;
}

interface Frame {
  readonly state: TextState;
  readonly placed: number;
  readonly moves: readonly Move[];
  next: number;
}

/**
 * Looks for an order of one key's operations that a register could have run (Wing and Gong, with Lowe's memory of dead ends).
 *
 * A configuration is the set of unplaced operations and the text of the register. Texts that no later read can see are one
 * state, "unseen" (observed-texts.ts). Every shortcut below rests on this: *writes always succeed and only gets can fail*,
 * and in the unseen state no get succeeds until a put. So take any completion of a configuration whose text is unseen: it
 * also completes the configuration with the same unplaced operations and any other text. A text that is seen is never
 * worse than unseen (D). The shortcuts, and why each loses no valid order and admits no invalid one (each only chooses
 * among orders that are valid moves, so the second is plain):
 *
 * 1. An unknown write is not placed where its text becomes unseen. Leaving it out gives a state at least as good (D) with
 *    one more operation free, and an unknown write need never be placed.
 * 2. A get that fits the text is placed at once. It changes nothing, and any completion placing it later stays valid.
 * 3. A known write that can never be seen (`isHopeless`) is placed at once when the text is unseen already, and just before
 *    a put. Wherever a completion places it, the text is unseen from there to the next put; by (D) taking it out of there
 *    does no harm, and before the put or among unseen text it has no effect.
 * 4. Of writes with equal kind and text that may come next, only the one that returns first is tried: two such writes may
 *    trade places in any completion, for both have started and the earlier end gets the earlier place.
 * 5. With no visible put among the next operations, only the operation that returns first may make the text unseen. A
 *    completion that starts by burying another one needs a visible put before its next get; that put starts after this first
 *    return, so that operation is placed before the put too, as a write. Placing it first is as good (D).
 * 6. When no get is left the rest fits in the order of returns. When no visible put can precede the return of the first get,
 *    the text must be a prefix of its result, or the configuration is dead; so it is when all puts that could have begun
 *    the result of some get are placed (orphaned-reads.ts).
 *
 * A configuration seen before is dead. The unplaced operations are determined by the first return among them and those of
 * them that start before it: nothing starting after it can be placed yet. So that is the memory's key, kept exactly, not as
 * a hash: a collision could turn a valid history into a rejected one.
 */
export class KeySearch {
  readonly #problem: KeyProblem;
  readonly #remaining: RemainingOperations;
  readonly #budget: SearchBudget;
  readonly #seen = new Set<string>();
  readonly #hopeless = new Map<number, boolean>();
  readonly #frames: Frame[] = [];

  constructor(operations: readonly Operation[], budget: SearchBudget) {
    this.#problem = keyProblem(operations);
    this.#remaining = new RemainingOperations(this.#problem);
    this.#budget = budget;
  }

  run(): KeyVerdict {
    if (this.#enter(this.#problem.texts.missing)) return { kind: "ordered" };
    for (let turn = 0; this.#frames.length > 0; turn++) {
      const frame = this.#frames[this.#frames.length - 1]!;
      this.#remaining.takeBackTo(frame.placed);
      const move = frame.moves[frame.next++];
      if (move === undefined) {
        this.#frames.pop();
        continue;
      }
      const limit = this.#budget.exhausted(turn, this.#seen.size);
      if (limit !== undefined) return { kind: "undecided", limit };
      if (move.entry.putState !== undefined && move.state !== this.#problem.texts.unseen)
        this.#placeHopeless();
      this.#place(move.entry);
      if (this.#enter(move.state)) return { kind: "ordered" };
    }
    return { kind: "stuck" };
  }

  /** Opens the configuration the search has come to; true when nothing in it can fail any more. */
  #enter(state: TextState): boolean {
    const choices: Entry[] = [];
    const isUnseen = state === this.#problem.texts.unseen;
    const first = this.#remaining.visitNext((entry) => {
      const isFree = entry.rank >= 0 ? entry.rank === state.exact : isUnseen && this.#isHopeless(entry);
      if (isFree) this.#place(entry);
      else choices.push(entry);
    });
    if (first === undefined || this.#remaining.firstReadReturn === 0) return true;
    const moves = this.#remaining.mayBeExplainedFrom(state) ? this.#moves(state, choices, first) : [];
    if (moves.length === 0) return false;
    const name = `${state.id}:${first.index}:${choices.map(({ index }) => index).join()}`;
    if (this.#seen.has(name)) return false;
    this.#seen.add(name);
    this.#frames.push({ state, placed: this.#remaining.placed, moves, next: 0 });
    return false;
  }

  /** The most promising first: an append that a read saw, then a put that a read saw, then what becomes unseen. */
  #moves(state: TextState, choices: readonly Entry[], first: Entry): readonly Move[] {
    const { texts } = this.#problem;
    const appends: Move[] = [];
    const puts: Move[] = [];
    const burials: Move[] = [];
    for (const entry of withoutTwins(choices)) {
      const next = entry.putState ?? texts.append(state, entry.operation.value);
      if (next !== texts.unseen) (entry.putState === undefined ? appends : puts).push({ entry, state: next });
      else if (entry.returnAt !== Number.POSITIVE_INFINITY) burials.push({ entry, state: next });
    }
    const isAllowed = (entry: Entry) => entry === first || (puts.length > 0 && !this.#isHopeless(entry));
    return [
      ...appends.sort(byReturn),
      ...puts.sort(byReturn),
      ...burials.filter(({ entry }) => isAllowed(entry)).sort(byReturn),
    ];
  }

  #placeHopeless(): void {
    this.#remaining.visitNext((entry) => {
      if (entry.rank < 0 && this.#isHopeless(entry)) this.#place(entry);
    });
  }

  #isHopeless({ putState, operation, twins, returnAt }: Entry): boolean {
    const { texts } = this.#problem;
    if (putState !== undefined) return putState === texts.unseen;
    if (returnAt === Number.POSITIVE_INFINITY) return false;
    const known = this.#hopeless.get(twins);
    if (known !== undefined) return known;
    const isHopeless = !texts.canBeSeen(operation.value);
    this.#hopeless.set(twins, isHopeless);
    return isHopeless;
  }

  #place(entry: Entry): void {
    this.#remaining.place(entry);
    this.#budget.step();
  }
}

/** Gets are no choice: those that fit are placed already. */
function withoutTwins(choices: readonly Entry[]): Iterable<Entry> {
  const earliest = new Map<number, Entry>();
  for (const entry of choices) {
    if (entry.rank >= 0) continue;
    const other = earliest.get(entry.twins);
    if (other === undefined || entry.returnAt < other.returnAt) earliest.set(entry.twins, entry);
  }
  return earliest.values();
}

function byReturn(a: Move, b: Move): number {
  return a.entry.returnAt === b.entry.returnAt ? 0 : a.entry.returnAt - b.entry.returnAt;
}
