import type { Candidate, PickFilter } from "./picker.js";
import type { RingMember } from "./ring-member.js";

/** Sums are used for this long at most: at 10,000 endpoints making them takes some 0.1 ms. */
const MAX_AGE_MS = 10;
/** One pick per so many endpoints may go by before sums are made anew; with fewer endpoints they are always exact. */
const ENDPOINTS_PER_PICK = 64;

/**
 * How many calls each endpoint on a ring may have in flight: its share by weight of all there will be, times the factor
 * (Mirrokni et al., consistent hashing with bounded loads). Sums are of the READY endpoints that the filter accepts, or
 * those out of use would keep their share, and calls would find no place.
 */
export class LoadBound<C extends Candidate> {
  /** True when an endpoint was refused since the pick began. */
  hasRefused = false;
  #inFlight = 0;
  #weight = 0;
  #now = 0;
  #summedAt = Number.NEGATIVE_INFINITY;
  #picksLeft = 0;
  #isChecked = false;

  constructor(
    private readonly factor: number,
    private readonly candidates: readonly C[],
    private readonly members: readonly RingMember[],
  ) {}

  /** @param now monotonic ms */
  beginPick(now: number): void {
    this.#now = now;
    this.hasRefused = false;
    this.#isChecked = false;
    this.#picksLeft--;
  }

  /** True when one call more leaves the endpoint, a READY one, within its bound. */
  hasRoom(index: number, filter: PickFilter<C>): boolean {
    const { inFlight } = this.candidates[index] as C;
    // No bound is under 1, so that most picks need no sums.
    if (inFlight === 0) return true;
    if (!this.#isChecked) this.#check(filter);
    const share = (this.members[index] as RingMember).weight / this.#weight;
    if (inFlight + 1 <= Math.ceil(this.factor * (this.#inFlight + 1) * share)) return true;
    this.hasRefused = true;
    return false;
  }

  /** Makes the sums anew. By them one endpoint at least has room, if there is any. */
  sum(filter: PickFilter<C>): void {
    const { candidates, members } = this;
    let calls = 0;
    let weight = 0;
    for (let index = 0; index < candidates.length; index++) {
      const candidate = candidates[index] as C;
      if (candidate.state !== "READY" || !filter.accepts(candidate)) continue;
      calls += candidate.inFlight;
      weight += (members[index] as RingMember).weight;
    }
    this.#inFlight = calls;
    this.#weight = weight;
    this.#summedAt = this.#now;
    this.#picksLeft = Math.floor(candidates.length / ENDPOINTS_PER_PICK);
  }

  #check(filter: PickFilter<C>): void {
    this.#isChecked = true;
    if (this.#picksLeft < 0 || this.#now - this.#summedAt >= MAX_AGE_MS) this.sum(filter);
  }
}
