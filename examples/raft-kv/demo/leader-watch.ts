import type { Clerk, Leader } from "holdfast";

/** Follows whom the Clerk takes for the leader. Losing and finding the same one again is neither a change nor news. */
export class LeaderWatch implements Disposable {
  readonly #subscription: Disposable;
  #last: Leader | undefined;
  #changes = 0;

  constructor(clerk: Pick<Clerk, "onEvent">, onNews: (leader: Leader) => void) {
    this.#subscription = clerk.onEvent((event) => {
      if (event.type !== "leader.changed") return;
      const { leader } = event;
      const last = this.#last;
      this.#last = leader;
      if (last !== undefined && last.address !== leader.address) this.#changes += 1;
      if (last?.address !== leader.address || last.term !== leader.term) onNews(leader);
    });
  }

  /** How often another node than the one before was found to lead; the first leader is no change. */
  get changes(): number {
    return this.#changes;
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }
}
