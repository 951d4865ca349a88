import type { Random } from "../core/index.js";

/**
 * When something is due that is done once in an interval. It has no timer: whoever owns many of them looks at all about
 * once a second. The first is due at once, and the second at an instant of chance, so that a thousand endpoints that
 * came up together are not asked together ever after.
 */
export class HealthRhythm {
  #dueAt: number | null = null;

  constructor(
    private readonly intervalMs: number,
    private readonly random: Random,
  ) {}

  /** True when it is due; then it is due again one interval later, and however late the look, just once. */
  isDue(now: number): boolean {
    const { intervalMs } = this;
    if (this.#dueAt === null) {
      this.#dueAt = now + intervalMs * this.random.next();
      return true;
    }
    if (now < this.#dueAt) return false;
    // Whole intervals: after a pause of the process everybody is late, and would be due together from then on.
    this.#dueAt += intervalMs * (Math.floor((now - this.#dueAt) / intervalMs) + 1);
    return true;
  }
}
