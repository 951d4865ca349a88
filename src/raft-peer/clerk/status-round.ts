import type { Leader } from "../clerk-api.js";
import type { NodeStatus } from "../kv-messages.js";
import type { LinkFailure } from "../unary-link.js";
import { isFinal } from "./reply-classifier.js";

/** One server's answer in a round. */
export type StatusAnswer = { readonly ok: true; readonly status: NodeStatus } | LinkFailure;

/** Characters of one failure in a sentence about all servers. */
const SHOWN_CHARACTERS = 150;

/**
 * Reads the answers of one round of GetStatus as they come in. Several may claim to lead; the highest term is right.
 */
export class StatusRound {
  readonly #answers = new Map<string, StatusAnswer>();

  /**
   * @param servers in the cluster
   * @param asked of them in this round
   */
  constructor(
    private readonly servers: number,
    private readonly asked: number,
  ) {}

  add(address: string, answer: StatusAnswer): void {
    this.#answers.set(address, answer);
  }

  get isComplete(): boolean {
    return this.#answers.size === this.asked;
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
    const claim = this.#claims.find(({ term }) => !this.contradicts(term));
    if (claim === undefined) return null;
    const terms = this.#terms;
    const later = terms.filter((term) => term > claim.term).length;
    const notLater = terms.length - later;
    if (this.#isMajority(notLater)) return claim;
    // More than half in a later term will accept nothing from it: it cannot commit, whatever it believes.
    return this.isComplete && !this.#isMajority(later) ? claim : null;
  }

  /**
   * True when more than half of the servers are in a term below this one, in which therefore nobody was elected: those
   * who elect a leader are in its term from then on. Whoever claims otherwise belongs to another cluster, or we
   * remember one that is no more.
   */
  contradicts(term: number): boolean {
    return this.#isMajority(this.#terms.filter((seen) => seen < term).length);
  }

  /** With all answers in: why no answer can be had from anybody, or null where waiting may help. */
  get refusal(): LinkFailure | null {
    if (!this.isComplete || this.#terms.length > 0 || this.asked < this.servers) return null;
    return this.#failures.every(isFinal) ? (this.#failures[0] ?? null) : null;
  }

  /** With all answers in: nobody said anything in time, so perhaps the time was too short. */
  get isSilent(): boolean {
    return this.#terms.length === 0 && this.#failures.some(({ kind }) => kind === "timeout");
  }

  /** What every server said, for people. */
  describe(): string {
    const said = [...this.#answers].map(([address, answer]) =>
      answer.ok
        ? `${address} is ${answer.status.state} in term ${answer.status.term}`
        : `${address}: ${(answer.attempts.at(-1)?.details ?? answer.details).slice(0, SHOWN_CHARACTERS)}`,
    );
    return said.join("; ");
  }

  get #terms(): number[] {
    return [...this.#answers.values()].flatMap((answer) => (answer.ok ? [answer.status.term] : []));
  }

  get #failures(): LinkFailure[] {
    return [...this.#answers.values()].filter((answer) => !answer.ok);
  }

  /** Highest term first. */
  get #claims(): Leader[] {
    const claims = [...this.#answers].flatMap(([address, answer]) =>
      answer.ok && answer.status.state === "Leader" && answer.status.term > 0
        ? [{ term: answer.status.term, address }]
        : [],
    );
    return claims.sort((a, b) => b.term - a.term);
  }

  #isMajority(count: number): boolean {
    return count > this.servers / 2;
  }
}
