/**
 * Tells which failures are of one lost connection: all attempts on it tell of the loss, and the throttle is to count it
 * once (R178). Those that were under way when the first of them told are taken to be of it.
 */
export class Losses {
  #started = 0;
  #lostUpTo = 0;
  #incident: object = {};

  /** @returns the number of an attempt that starts */
  attemptStarted(): number {
    return ++this.#started;
  }

  /** What all failures of the same loss share. */
  incidentOf(attempt: number): object {
    if (attempt > this.#lostUpTo) {
      this.#incident = {};
      this.#lostUpTo = this.#started;
    }
    return this.#incident;
  }
}
