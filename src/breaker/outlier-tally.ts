/** What one endpoint's calls came to, and whether it is ejected. Calls are told, and the rest is `OutlierDetection`'s. */
export class OutlierTally {
  /** Successes and failures of the interval that is over: what endpoints are judged by. */
  successes = 0;
  failures = 0;
  /** When it was ejected, on the monotonic clock; null while it is in use. */
  ejectedAt: number | null = null;
  /** Times ejected, less the clean intervals since: the time out of use is as many times the base. */
  multiplier = 0;
  /** Those of the running interval. */
  #successes = 0;
  #failures = 0;

  /** Taken out of use. Its connections stay. */
  get isEjected(): boolean {
    return this.ejectedAt !== null;
  }

  /** A call has ended: true for an answer, be it an application's error. */
  count(isSuccess: boolean): void {
    if (isSuccess) this.#successes += 1;
    else this.#failures += 1;
  }

  /** Ends the running interval. */
  swap(): void {
    this.successes = this.#successes;
    this.failures = this.#failures;
    this.#successes = 0;
    this.#failures = 0;
  }
}
