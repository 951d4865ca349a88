import type { Entry, KeyProblem } from "./key-problem.js";
import type { TextState } from "./observed-texts.js";
import { OrphanedReads } from "./orphaned-reads.js";
import { PositionList } from "./position-list.js";

/** The operations not placed yet, and the order of those that were. */
export class RemainingOperations {
  readonly #entryAt: readonly Entry[];
  readonly #texts: KeyProblem["texts"];
  readonly #all: PositionList;
  readonly #readReturns: PositionList;
  readonly #visiblePuts: PositionList;
  readonly #orphans: OrphanedReads;
  readonly #placed: Entry[] = [];

  constructor(problem: KeyProblem) {
    const { entries, entryAt, positions, texts } = problem;
    const ascending = (chosen: readonly number[]) => [...chosen].sort((a, b) => a - b);
    const reads = entries.filter(({ operation }) => operation.kind === "get");
    const puts = entries.filter(({ putState }) => putState !== undefined && putState !== texts.unseen);
    this.#entryAt = entryAt;
    this.#texts = texts;
    this.#orphans = new OrphanedReads(problem);
    this.#all = new PositionList(
      Array.from({ length: positions }, (_, index) => index + 1),
      positions,
    );
    this.#readReturns = new PositionList(ascending(reads.map(({ returnAt }) => returnAt)), positions);
    this.#visiblePuts = new PositionList(ascending(puts.map(({ callAt }) => callAt)), positions);
  }

  get placed(): number {
    return this.#placed.length;
  }

  /** Where the first unplaced get returns; 0 when all gets are placed. */
  get firstReadReturn(): number {
    return this.#readReturns.first;
  }

  get firstRead(): Entry | undefined {
    return this.#entryAt[this.firstReadReturn];
  }

  /** False when the text at hand already rules out some unplaced get. At least one must be unplaced. */
  mayBeExplainedFrom(state: TextState): boolean {
    if (!this.#orphans.mayGrowFrom(state)) return false;
    const firstPut = this.#visiblePuts.first;
    if (firstPut !== 0 && firstPut < this.firstReadReturn) return true;
    const { rank } = this.firstRead!;
    return rank >= state.low && rank < state.high;
  }

  /** Offers what may come next, in time order, until something unplaced returns, and answers with that; `visit` may place. */
  visitNext(visit: (entry: Entry) => void): Entry | undefined {
    for (let at = this.#all.first; at !== 0; at = this.#all.after(at)) {
      const entry = this.#entryAt[at]!;
      if (entry.returnAt === at) return entry;
      visit(entry);
    }
    return undefined;
  }

  place(entry: Entry): void {
    this.#placed.push(entry);
    this.#orphans.place(entry);
    // The end goes first: a visit standing on the start would otherwise step onto an end that is gone.
    if (entry.returnAt !== Number.POSITIVE_INFINITY) this.#all.remove(entry.returnAt);
    this.#all.remove(entry.callAt);
    if (entry.rank >= 0) this.#readReturns.remove(entry.returnAt);
    if (this.#isVisiblePut(entry)) this.#visiblePuts.remove(entry.callAt);
  }

  /** Takes operations back until `count` are placed. */
  takeBackTo(count: number): void {
    while (this.#placed.length > count) {
      const entry = this.#placed.pop()!;
      this.#orphans.takeBack(entry);
      if (this.#isVisiblePut(entry)) this.#visiblePuts.restore(entry.callAt);
      if (entry.rank >= 0) this.#readReturns.restore(entry.returnAt);
      this.#all.restore(entry.callAt);
      if (entry.returnAt !== Number.POSITIVE_INFINITY) this.#all.restore(entry.returnAt);
    }
  }

  #isVisiblePut({ putState }: Entry): boolean {
    return putState !== undefined && putState !== this.#texts.unseen;
  }
}
