import type { LatencyWindow } from "../retry/index.js";
import type { Attempt } from "./attempt.js";
import { type LosingCall, loseAttempt } from "./lose-attempt.js";

/** The attempts of a hedged call that are in flight. */
export class HedgeRace {
  readonly #running: Attempt[] = [];

  constructor(
    private readonly call: LosingCall,
    private readonly latency: LatencyWindow,
  ) {}

  get size(): number {
    return this.#running.length;
  }

  /** A copy: what is done to one of them may end others. */
  get all(): readonly Attempt[] {
    return [...this.#running];
  }

  /** The attempt with most of the request behind it. */
  get furthest(): Attempt | null {
    return this.#running.reduce<Attempt | null>(
      (best, next) => (best === null || next.sentCount > best.sentCount ? next : best),
      null,
    );
  }

  has(attempt: Attempt): boolean {
    return this.#running.includes(attempt);
  }

  add(attempt: Attempt): void {
    this.#running.push(attempt);
  }

  /** Takes it out; false when it was not in. */
  take(attempt: Attempt): boolean {
    const at = this.#running.indexOf(attempt);
    if (at >= 0) this.#running.splice(at, 1);
    return at >= 0;
  }

  /** Cancels all but one of them, or all. */
  loseAllBut(survivor: Attempt | null, why: string): void {
    for (const other of this.all) {
      if (other !== survivor && this.take(other)) loseAttempt(this.call, other, why, this.latency);
    }
  }
}
