import type { Clock, Timer } from "../core/index.js";
import type { Connection } from "./connection.js";
import { isAnswered } from "./health-check.js";

export interface SuspicionOwner {
  /** The peer showed a sign of life. */
  onVerified(connection: Connection, by: "bytes" | "health"): void;
  /** Only a fresh dial can tell now. */
  onUnanswered(connection: Connection): void;
}

/**
 * Verifies one suspect connection: a health Check first, and where that stays without an answer the owner dials
 * afresh. Any byte from the peer ends the suspicion at whichever point it is noticed.
 */
export class Suspicion {
  readonly #bytesAtStart: number;
  #timer: Timer | null;
  #isOver = false;

  constructor(
    readonly connection: Connection,
    private readonly owner: SuspicionOwner,
    clock: Clock,
    checkTimeoutMs: number,
  ) {
    this.#bytesAtStart = connection.bytesRead;
    // Our own timer beside the Check's deadline: a Check queued behind the peer's stream limit proves nothing.
    this.#timer = clock.setTimer(() => this.#conclude(false), checkTimeoutMs);
    isAnswered(connection, clock.epoch() + checkTimeoutMs, (isAlive) => {
      if (isAlive) this.#conclude(true);
    });
  }

  /** True when the peer has sent anything since the suspicion began. */
  get hasHeard(): boolean {
    return this.connection.bytesRead !== this.#bytesAtStart;
  }

  cancel(): void {
    this.#isOver = true;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #conclude(isAnsweredByHealth: boolean): void {
    if (this.#isOver) return;
    this.cancel();
    if (isAnsweredByHealth) this.owner.onVerified(this.connection, "health");
    else if (this.hasHeard) this.owner.onVerified(this.connection, "bytes");
    else this.owner.onUnanswered(this.connection);
  }
}
