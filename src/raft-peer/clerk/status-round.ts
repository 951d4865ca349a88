import type { Leader } from "../clerk-api.js";
import type { NodeStatus } from "../kv-messages.js";
import type { LinkFailure } from "../unary-link.js";
import { isFinal } from "./reply-classifier.js";

/** One server's answer in a round. */
export type StatusAnswer = { readonly ok: true; readonly status: NodeStatus } | LinkFailure;

/**
 * Reads the answers of one round of GetStatus to `servers` servers as they come in. Several may claim to lead; the
 * highest term is right.
 */
export class StatusRound {
  readonly #terms: number[] = [];
  readonly #failures: LinkFailure[] = [];
  #best: Leader | null = null;

  constructor(private readonly servers: number) {}

  add(address: string, answer: StatusAnswer): void {
    if (!answer.ok) {
      this.#failures.push(answer);
      return;
    }
    const { term, state } = answer.status;
    this.#terms.push(term);
    if (state === "Leader" && term > (this.#best?.term ?? 0)) this.#best = { term, address };
  }

  get isComplete(): boolean {
    return this.#terms.length + this.#failures.length === this.servers;
  }

  /** Highest term of any server in this round. */
  get highestTerm(): number {
    return Math.max(0, ...this.#terms);
  }

  /**
   * The leader as soon as the answers prove it: more than half of the servers know no later term, so nobody can have
   * been elected after it. With all answers in, also a claim that is merely not disproved.
   */
  get leader(): Leader | null {
    const claim = this.#best;
    if (claim === null) return null;
    const later = this.#terms.filter((term) => term > claim.term).length;
    const notLater = this.#terms.length - later;
    if (this.#isMajority(notLater)) return claim;
    // More than half in a later term will accept nothing from it: it cannot commit, whatever it believes.
    return this.isComplete && !this.#isMajority(later) ? claim : null;
  }

  /**
   * True when more than half of the servers are in a term below one that had a leader: no Raft cluster forgets a term,
   * so this is another one at the same addresses.
   */
  contradicts(leaderTerm: number): boolean {
    return this.#isMajority(this.#terms.filter((term) => term < leaderTerm).length);
  }

  /** With all answers in: why no answer can be had from anybody, or null where waiting may help. */
  get refusal(): LinkFailure | null {
    if (!this.isComplete || this.#terms.length > 0) return null;
    return this.#failures.every(isFinal) ? (this.#failures[0] ?? null) : null;
  }

  #isMajority(count: number): boolean {
    return count > this.servers / 2;
  }
}
