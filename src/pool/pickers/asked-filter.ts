import type { Candidate, PickFilter } from "./picker.js";

/**
 * A filter that remembers what it answered in the pick under way: asked once more it may answer otherwise, as one that
 * goes by chance does. Allocates nothing per pick.
 */
export class AskedFilter<C extends Candidate> implements PickFilter<C> {
  /** The pick in which each was accepted last. */
  readonly #acceptedIn: Map<C, number>;
  #inner: PickFilter<C> | null = null;
  #pick = 0;
  #asked = 0;
  #accepted = 0;

  constructor(candidates: readonly C[]) {
    this.#acceptedIn = new Map(candidates.map((candidate) => [candidate, 0]));
  }

  /** True while a picker has no reason to answer nobody: it has asked for none, or one was accepted. */
  get isAnswerDue(): boolean {
    return this.#asked === 0 || this.#accepted > 0;
  }

  begin(inner: PickFilter<C>): this {
    this.#inner = inner;
    this.#pick++;
    this.#asked = 0;
    this.#accepted = 0;
    return this;
  }

  accepts(candidate: C): boolean {
    this.#asked++;
    if (!this.#acceptedIn.has(candidate) || this.#inner?.accepts(candidate) !== true) return false;
    this.#accepted++;
    this.#acceptedIn.set(candidate, this.#pick);
    return true;
  }

  /** True for a candidate of the set, and not for anything else a picker may have answered. */
  knows(answer: unknown): answer is C {
    return this.#acceptedIn.has(answer as C);
  }

  /** True when it was accepted in this pick, or is when asked now. */
  hasAccepted(candidate: C): boolean {
    return this.#acceptedIn.get(candidate) === this.#pick || this.accepts(candidate);
  }
}
