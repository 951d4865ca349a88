/**
 * Bounds how many endpoints of a target breakers and outlier ejection together may take out of use (design decision 9):
 * when most of a target looks broken, the fault is more likely on our side, or taking more out makes it worse.
 */
export class PanicFloor {
  readonly #maxEjectionPercent: number;

  /** @param maxEjectionPercent 0 to 100; 0 lets none be taken out. */
  constructor(maxEjectionPercent: number) {
    this.#maxEjectionPercent = maxEjectionPercent;
  }

  /** The most endpoints out of `total` that may be out at once: rounded down, but at least one unless percent is 0. */
  maxOut(total: number): number {
    if (total === 0 || this.#maxEjectionPercent === 0) return 0;
    return Math.max(1, Math.floor((total * this.#maxEjectionPercent) / 100));
  }

  /** True when one more endpoint may be taken out while `out` others are; those merely not READY do not count. */
  allows(total: number, out: number): boolean {
    return out < this.maxOut(total);
  }
}
