import type { Random } from "../core/index.js";
import type { ResolvedBackoffOptions } from "./retry-options.js";

/** How long to wait before each retry (gRFC A6, backoff; R9). */
export class Backoff {
  readonly #options: ResolvedBackoffOptions;
  readonly #random: Random;

  constructor(options: ResolvedBackoffOptions, random: Random) {
    this.#options = options;
    this.#random = random;
  }

  /**
   * The wait before a retry, in milliseconds, jitter included.
   * @param retry 1 for the first retry of the call, or the first after a pushback (R26).
   */
  delayMs(retry: number): number {
    const { jitter, maxMs } = this.#options;
    const wait = this.#waitMs(retry);
    switch (jitter) {
      case "none":
        return wait;
      case "spread20":
        // After the cap, so the spread stays +-20 % however many retries came before; it may pass maxMs (R9).
        return wait * (0.8 + 0.4 * this.#random.next());
      case "full":
        return Math.min(wait, maxMs) * this.#random.next();
      case "additive10":
        return Math.min(wait * (1 + 0.1 * this.#random.next()), maxMs);
    }
  }

  /** The wait before jitter. What overflows to Infinity for a huge retry is caught by the cap. */
  #waitMs(retry: number): number {
    const { kind, initialMs, multiplier, maxMs } = this.#options;
    switch (kind) {
      case "exponential":
        // gRFC A6 caps from the second retry on: an initialMs above maxMs is legal and used once.
        return retry <= 1 ? initialMs : Math.min(initialMs * multiplier ** (retry - 1), maxMs);
      case "linear":
        return Math.min(initialMs * retry, maxMs);
      case "fixed":
        return Math.min(initialMs, maxMs);
      case "immediate":
        return 0;
    }
  }
}
