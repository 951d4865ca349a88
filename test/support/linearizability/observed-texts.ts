/** A value of the register, as far as reads can tell it from others. */
export interface TextState {
  readonly id: number;
  /** The results that begin with this text have the ranks `low` to `high - 1`. */
  readonly low: number;
  readonly high: number;
  readonly length: number;
  /** Rank of the result equal to this text, or -1. */
  readonly exact: number;
}

/** Rank of the result of a get that found no key; texts rank from 1. */
export const MISSING_RANK = 0;

/**
 * The values of one register, reduced to what its reads observed: a text is a prefix of some result, named by its length and
 * the first result that begins with it, or it is `unseen`. All unseen texts are one state, for no append can make them
 * readable again; only a put can. So an append costs a few comparisons of its own length however long the value has grown.
 */
export class ObservedTexts {
  /** Sorted and distinct; index 0 stands for the missing key. */
  readonly #results: readonly string[];
  readonly #states = new Map<string, TextState>();
  readonly #longest: readonly string[];
  readonly missing: TextState;
  readonly unseen: TextState = { id: 0, low: 0, high: 0, length: 0, exact: -1 };

  constructor(results: Iterable<string>) {
    const sorted = [...results].sort(compareText);
    const distinct = sorted.filter((text, index) => text !== sorted[index - 1]);
    this.#results = ["", ...distinct];
    this.#longest = distinct.filter((text, index) => !(distinct[index + 1]?.startsWith(text) ?? false));
    this.missing = { id: 1, low: 0, high: this.#results.length, length: 0, exact: MISSING_RANK };
  }

  rankOf(result: string | undefined): number {
    return result === undefined ? MISSING_RANK : this.#firstFrom(1, this.#results.length, 0, result, false);
  }

  put(value: string): TextState {
    return this.append(this.missing, value);
  }

  append(state: TextState, value: string): TextState {
    if (state === this.unseen) return state;
    const from = Math.max(state.low, 1);
    const low = this.#firstFrom(from, state.high, state.length, value, false);
    const high = this.#firstFrom(low, state.high, state.length, value, true);
    return low === high ? this.unseen : this.#intern(low, high, state.length + value.length);
  }

  /** False when no read, whatever the value before, can have seen this text appended. */
  canBeSeen(appended: string): boolean {
    return this.#longest.some((text) => text.includes(appended));
  }

  #intern(low: number, high: number, length: number): TextState {
    const name = `${low}:${length}`;
    const known = this.#states.get(name);
    if (known !== undefined) return known;
    const exact = this.#results[low]!.length === length ? low : -1;
    const state = { id: this.#states.size + 2, low, high, length, exact };
    this.#states.set(name, state);
    return state;
  }

  /** First rank in the range whose text after `offset` is at or, if `past`, beyond everything that begins with `value`. */
  #firstFrom(from: number, to: number, offset: number, value: string, past: boolean): number {
    let low = from;
    let high = to;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = compareText(this.#results[middle]!.slice(offset, offset + value.length), value);
      if (order < 0 || (past && order === 0)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
