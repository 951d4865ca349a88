import type { Random } from "../core/index.js";
import type { ResolvedReconnectBackoff } from "./pool-options.js";

/**
 * When to dial again, by gRPC's connection backoff (R57-R61): measured from the start of the last dial, so that a
 * slow failure adds no further wait, and back to the start once SETTINGS arrived.
 */
export class ReconnectBackoff {
  #failures = 0;

  constructor(
    private readonly options: ResolvedReconnectBackoff,
    private readonly random: Random,
  ) {}

  reset(): void {
    this.#failures = 0;
  }

  /** The instant of the next dial after one more failed dial that began at `dialledAt`. */
  afterFailure(dialledAt: number): number {
    return dialledAt + this.#delayMs(this.#failures++);
  }

  /**
   * The instant of the next dial after a connection was lost: at once for one that has lived, but a server that
   * accepts and hangs up again and again is not dialled in a loop.
   */
  afterLoss(dialledAt: number): number {
    return dialledAt + this.#delayMs(0);
  }

  #delayMs(failures: number): number {
    const { initialMs, multiplier, maxMs, jitterRatio } = this.options;
    const base = Math.min(initialMs * multiplier ** failures, maxMs);
    return base * (1 + jitterRatio * (2 * this.random.next() - 1));
  }
}
