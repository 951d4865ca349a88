/** How fast Raft notices and reacts, all in ms. */
export interface RaftTiming {
  /** Between two rounds of AppendEntries. Default 125 (eraft's); above 0, below electionMinMs. */
  readonly heartbeatMs: number;
  /** Shortest silence after which a follower stands for election. Default 1,000 (eraft's). */
  readonly electionMinMs: number;
  /** Longest one. Default 2,000 (eraft's); electionMinMs or more, and with more, fewer elections end in a draw. */
  readonly electionMaxMs: number;
}

export const DEFAULT_TIMING: RaftTiming = { heartbeatMs: 125, electionMinMs: 1_000, electionMaxMs: 2_000 };

/** @throws RangeError naming the value and what is allowed */
export function resolveTiming(given: Partial<RaftTiming> = {}): RaftTiming {
  const timing = { ...DEFAULT_TIMING, ...given };
  const { heartbeatMs, electionMinMs, electionMaxMs } = timing;
  const check = (name: string, value: number, isAllowed: boolean, allowed: string): void => {
    if (!isAllowed) throw new RangeError(`${name} is ${value}; allowed: ${allowed}`);
  };
  check("heartbeatMs", heartbeatMs, heartbeatMs > 0, "a number above 0");
  check(
    "electionMinMs",
    electionMinMs,
    electionMinMs > heartbeatMs,
    `more than heartbeatMs (${heartbeatMs})`,
  );
  const allowedMax = `electionMinMs (${electionMinMs}) or more, and finite`;
  check(
    "electionMaxMs",
    electionMaxMs,
    electionMaxMs >= electionMinMs && Number.isFinite(electionMaxMs),
    allowedMax,
  );
  return timing;
}
