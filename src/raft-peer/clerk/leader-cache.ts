import type { Leader } from "../clerk-api.js";

/**
 * The leader as known, by address and term. Never moved back: neither a claim of a lower term nor one that arrives late
 * replaces a newer leader.
 */
export class LeaderCache {
  #leader: Leader | null = null;
  /** Highest term in which somebody was taken for the leader. */
  #leaderTerm = 0;
  /** Highest term seen on any server. */
  #highestTerm = 0;

  get leader(): Leader | null {
    return this.#leader;
  }

  /** Highest term in which a leader was known; 0 for none so far. */
  get leaderTerm(): number {
    return this.#leaderTerm;
  }

  /**
   * A server says that it leads in this term.
   * @returns whether it is now the leader known, where it was not before
   */
  learn({ term, address }: Leader): boolean {
    if (!this.admits(term)) return false;
    const known = this.#leader;
    // A term has one leader: a second claim is believed only after the first one has been dropped.
    if (known !== null && known.term === term) return false;
    this.#leader = { term, address };
    this.#leaderTerm = term;
    this.#highestTerm = Math.max(this.#highestTerm, term);
    return true;
  }

  /** Whether a claim of this term may be believed. Term 0 is what eraft says when it knows nothing. */
  protected admits(term: number): boolean {
    return term > 0 && term >= this.#leaderTerm;
  }

  /**
   * Some server is in this term. One never seen before means an election: the leader known may be out of office.
   * @returns the leader that was dropped for it
   */
  observeTerm(term: number): Leader | null {
    if (term <= this.#highestTerm) return null;
    this.#highestTerm = term;
    const known = this.#leader;
    if (known === null || known.term >= term) return null;
    this.#leader = null;
    return known;
  }

  /** Forgets this leader; does nothing when another one, or the same of a later term, is known by now. */
  drop(leader: Leader): boolean {
    if (this.#leader !== leader) return false;
    this.#leader = null;
    return true;
  }

  /** Forgets everything: the cluster was set up anew and counts its terms from the start. */
  reset(): void {
    this.#leader = null;
    this.#leaderTerm = 0;
    this.#highestTerm = 0;
  }
}
