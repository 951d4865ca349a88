import type { Random } from "../../core/index.js";

export interface ProbePace {
  readonly initialIntervalMs: number;
  readonly maxIntervalMs: number;
}

/** Servers for which `maxIntervalMs` is meant; with more the rounds are rarer, so that the requests are not more. */
const SERVERS_PER_INTERVAL = 3;
/** Spread, later only: many Clerks that lost the same leader must not ask in step. */
const JITTER_RATIO = 0.2;

/** When the next round of GetStatus is due. The first is due at once, and so is the first after a success. */
export class ProbeSchedule {
  #intervalMs = 0;
  #dueAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly pace: ProbePace,
    private readonly random: Random,
  ) {}

  /** An operation went through: what comes next is a new outage. */
  reset(): void {
    this.#intervalMs = 0;
  }

  /** Milliseconds from `now` to the next round. */
  delayMs(now: number): number {
    return this.#intervalMs === 0 ? 0 : Math.max(0, this.#dueAt - now);
  }

  /** A round to `servers` servers begins. */
  began(now: number, servers: number): void {
    const { initialIntervalMs, maxIntervalMs } = this.pace;
    const longest = maxIntervalMs * Math.max(1, servers / SERVERS_PER_INTERVAL);
    this.#intervalMs = this.#intervalMs === 0 ? initialIntervalMs : Math.min(this.#intervalMs * 2, longest);
    this.#dueAt = now + this.#intervalMs * (1 + JITTER_RATIO * this.random.next());
  }
}
