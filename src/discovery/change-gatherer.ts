import type { Clock, Timer } from "../core/index.js";

/**
 * A change costs the more the more endpoints there are, so those of a large set are gathered: for 0.1 ms per endpoint, at
 * most a quarter of a second. Or a source that tells of each of a thousand restarts by itself would take a whole core.
 */
const GATHER_MS_PER_ENDPOINT = 0.1;
const MAX_GATHER_MS = 250;
/** The changes of smaller sets follow at once. */
const MIN_GATHERED = 100;

/** Says when the newest answer is taken: at once, or with those that follow soon after a change of a large set. */
export class ChangeGatherer {
  #changedAtMs = Number.NEGATIVE_INFINITY;
  /** Runs while an answer waits for others. */
  #timer: Timer | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly take: () => void,
  ) {}

  /** @param count endpoints in use */
  takeSoon(count: number): void {
    if (this.#timer !== null) return;
    const gatherMs = count < MIN_GATHERED ? 0 : Math.min(count * GATHER_MS_PER_ENDPOINT, MAX_GATHER_MS);
    const waitMs = this.#changedAtMs + gatherMs - this.clock.now();
    if (waitMs <= 0) this.take();
    else this.#timer = this.clock.setTimer(() => this.takeNow(), waitMs);
  }

  /** Takes what waits; does nothing where nothing does. */
  takeNow(): void {
    if (this.#timer === null) return;
    this.cancel();
    this.take();
  }

  /** The set has changed. */
  noteChange(): void {
    this.#changedAtMs = this.clock.now();
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
