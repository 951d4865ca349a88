import type { Random } from "../../src/core/index.js";

/** Repeatable chance: mulberry32. The same seed gives the same numbers. */
export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }
}

/** Always the same roll: 0 for the shortest jitter, just under 1 for the longest, 0.5 for none. */
export function fixedRandom(value: number): Random {
  return { next: () => value };
}
