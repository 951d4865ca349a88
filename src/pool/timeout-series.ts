import type { Incident } from "./slot.js";

/** Groups timeouts of one connection: those that overlap the first of a series are one event. */
export class TimeoutSeries {
  #current: (Incident & { readonly firstAt: number }) | null = null;

  /** The event going on, if any. */
  get current(): Incident | null {
    return this.#current;
  }

  /** The event that a timeout at `now` of an attempt begun at `startedAt` belongs to. */
  incidentOf(startedAt: number, now: number): Incident {
    if (this.#current === null || startedAt >= this.#current.firstAt) {
      this.#current = { firstAt: now, isCounted: false };
    }
    return this.#current;
  }
}
