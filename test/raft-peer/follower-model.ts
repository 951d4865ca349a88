import type { LogEntry, RaftHandler } from "../../src/raft-peer/index.js";

/**
 * A follower by eraft's rules: entries that it has are kept, the first that differs replaces the whole rest of the log,
 * and it commits up to min(leaderCommit, its own last index), whatever stands there.
 */
export class FollowerModel implements Pick<RaftHandler, "appendEntries"> {
  /** Committed commands in order, as a state machine would have got them. */
  readonly applied: string[] = [];
  #log: readonly LogEntry[];
  readonly #refusedFrom: number;

  /**
   * @param log from index 1 on
   * @param refusedFrom requests whose entries begin here or later are lost
   */
  constructor(log: readonly LogEntry[], refusedFrom = Number.POSITIVE_INFINITY) {
    this.#log = log;
    this.#refusedFrom = refusedFrom;
  }

  appendEntries: RaftHandler["appendEntries"] = ({
    term,
    prevLogIndex,
    prevLogTerm,
    leaderCommit,
    entries,
  }) => {
    const lost = prevLogIndex + 1 >= this.#refusedFrom;
    const before = this.#log[prevLogIndex - 1];
    const follows = prevLogIndex === 0 || before?.term === prevLogTerm;
    if (lost || !follows) return { term, success: false, conflictIndex: prevLogIndex, conflictTerm: -1 };
    const at = entries.findIndex(({ index, term }) => this.#log[index - 1]?.term !== term);
    if (at >= 0) this.#log = [...this.#log.slice(0, prevLogIndex + at), ...entries.slice(at)];
    for (const { command } of this.#log.slice(this.applied.length, leaderCommit)) {
      this.applied.push(String(Buffer.from(command)));
    }
    return { term, success: true, conflictIndex: 0, conflictTerm: 0 };
  };
}
