import type { Entry, KeyProblem } from "./key-problem.js";
import type { TextState } from "./observed-texts.js";

/**
 * Counts the unplaced gets that only the present text can still explain. The text a get returned begins with the text of the
 * last put before it; so once every put whose text its result begins with is placed, its result must grow from the text that
 * is there now, and a text that is no prefix of it is a dead end.
 */
export class OrphanedReads {
  readonly #unplacedReads: Int32Array;
  readonly #unplacedSources: Int32Array;
  /** Orphans by rank, as a Fenwick tree: sums over a range of ranks in logarithmic time. */
  readonly #tree: Int32Array;
  #total = 0;

  constructor({ entries, texts }: KeyProblem) {
    const ranks = texts.missing.high;
    this.#unplacedReads = new Int32Array(ranks);
    this.#unplacedSources = new Int32Array(ranks);
    this.#tree = new Int32Array(ranks + 1);
    for (const entry of entries) this.#count(entry, 1, false);
    for (let rank = 0; rank < ranks; rank++) {
      if (this.#unplacedSources[rank] === 0) this.#add(rank, this.#unplacedReads[rank]!);
    }
  }

  place(entry: Entry): void {
    this.#count(entry, -1, true);
  }

  takeBack(entry: Entry): void {
    this.#count(entry, 1, true);
  }

  /** True when every orphan may still be explained by a text that grows from this one. */
  mayGrowFrom({ low, high }: TextState): boolean {
    return this.#sumBelow(high) - this.#sumBelow(low) === this.#total;
  }

  #count({ rank, putState }: Entry, change: 1 | -1, isTracked: boolean): void {
    if (rank >= 0) {
      this.#unplacedReads[rank]! += change;
      if (isTracked && this.#unplacedSources[rank] === 0) this.#add(rank, change);
    } else if (putState !== undefined) {
      for (let source = putState.low; source < putState.high; source++) {
        const before = this.#unplacedSources[source]!;
        this.#unplacedSources[source] = before + change;
        const becomesOrphan = before + change === 0;
        if (isTracked && (becomesOrphan || before === 0)) {
          this.#add(source, becomesOrphan ? this.#unplacedReads[source]! : -this.#unplacedReads[source]!);
        }
      }
    }
  }

  #add(rank: number, change: number): void {
    if (change === 0) return;
    this.#total += change;
    for (let node = rank + 1; node < this.#tree.length; node += node & -node) this.#tree[node]! += change;
  }

  #sumBelow(rank: number): number {
    let sum = 0;
    for (let node = rank; node > 0; node -= node & -node) sum += this.#tree[node]!;
    return sum;
  }
}
