import type { Clock, Random, Timer } from "holdfast";
import type { RaftTiming } from "./raft-timing.js";

export interface ElectionTimerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly timing: RaftTiming;
  readonly onTimeout: () => void;
}

/** Fires after a random silence, again and again until stopped; `reset` begins a new silence. */
export class ElectionTimer {
  readonly #options: ElectionTimerOptions;
  #timer: Timer | null = null;

  constructor(options: ElectionTimerOptions) {
    this.#options = options;
  }

  reset(): void {
    this.#arm(true);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #arm(mayForgive: boolean): void {
    const { clock, random, timing, onTimeout } = this.#options;
    const waitMs = timing.electionMinMs + random.next() * (timing.electionMaxMs - timing.electionMinMs);
    const due = clock.now() + waitMs;
    this.#timer?.cancel();
    this.#timer = clock.setTimer(() => {
      // Fired late, this process stood still, not the leader, whose heartbeats wait in our socket: hear them first. But
      // once only, or a process that is always late would never stand.
      if (mayForgive && clock.now() - due > timing.heartbeatMs) return this.#arm(false);
      this.#arm(true);
      onTimeout();
    }, waitMs);
  }
}
