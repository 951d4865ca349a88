/** Positions in ascending order; taking one out and putting it back, last out first in, cost nothing. */
export class PositionList {
  readonly #next: Int32Array;
  readonly #previous: Int32Array;

  /** `positions` ascend from 1 to `size`; 0 means "none". */
  constructor(positions: Iterable<number>, size: number) {
    this.#next = new Int32Array(size + 1);
    this.#previous = new Int32Array(size + 1);
    let last = 0;
    for (const position of positions) {
      this.#next[last] = position;
      this.#previous[position] = last;
      last = position;
    }
    this.#previous[0] = last;
  }

  get first(): number {
    return this.#next[0]!;
  }

  after(position: number): number {
    return this.#next[position]!;
  }

  remove(position: number): void {
    this.#next[this.#previous[position]!] = this.#next[position]!;
    this.#previous[this.#next[position]!] = this.#previous[position]!;
  }

  restore(position: number): void {
    this.#next[this.#previous[position]!] = position;
    this.#previous[this.#next[position]!] = position;
  }
}
