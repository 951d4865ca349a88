import type { AppendEntriesRequest, LogEntry } from "holdfast";
import type { DurableState } from "./durable-state.js";

/** The part of the log that is committed, and therefore applied, entry by entry and never again otherwise. */
export class CommittedLog {
  readonly #state: DurableState;
  readonly #apply: (entry: LogEntry) => void;
  #index = 0;

  constructor(state: DurableState, apply: (entry: LogEntry) => void) {
    this.#state = state;
    this.#apply = apply;
  }

  /** Everything up to here is committed and applied. */
  get index(): number {
    return this.#index;
  }

  /**
   * Takes a leader's entries into the log.
   * @throws Error when it would replace a committed one, which no correct leader asks for
   */
  adopt({ term, leaderId, entries }: AppendEntriesRequest): void {
    const added = this.#state.log.newAmong(entries);
    const first = added[0]?.index;
    if (first === undefined) return;
    if (first <= this.#index) {
      throw new Error(
        `node ${leaderId}, leader of term ${term}, would replace entry ${first}, ` +
          `but entries up to ${this.#index} are committed here`,
      );
    }
    this.#state.append(added);
  }

  /** Commits what a majority holds, of this term only: an entry of an earlier one may still be replaced (figure 8). */
  commitAsLeader(quorumIndex: number): void {
    if (this.#state.log.termAt(quorumIndex) === this.#state.term) this.commitTo(quorumIndex);
  }

  commitTo(index: number): void {
    while (this.#index < index) this.#apply(this.#state.log.at(++this.#index));
  }
}
