import type { Clock, Endpoint, Timer } from "../core/index.js";
import type { ResolvedDiscoveryOptions } from "./discovery-options.js";
import { lostFrom } from "./endpoint-sets.js";

/** A loss that is not believed yet. */
export interface HeldLoss {
  readonly why: "empty" | "shrink";
  readonly lost: readonly Endpoint[];
  /** Epoch ms. */
  readonly since: number;
}

interface Hold {
  readonly why: HeldLoss["why"];
  readonly since: number;
  readonly untilMs: number;
  lost: readonly Endpoint[];
  timer: Timer | null;
}

/**
 * Decides when an answer is believed that takes endpoints away: an empty one, or one that leaves the set smaller by more
 * than `maxShrinkRatio`. Such an answer is believed when the source has stuck to it for a while. What an answer adds is never held.
 */
export class LossGuard {
  #hold: Hold | null = null;
  /** Until then the source is known to have been down lately, and may not know everything again. Monotonic ms. */
  #recoveringUntilMs = Number.NEGATIVE_INFINITY;
  #wasDown = false;

  /** @param onDue the time is over that a held loss had to last: is it confirmed? */
  constructor(
    private readonly options: Pick<
      ResolvedDiscoveryOptions,
      "emptyGraceMs" | "maxShrinkRatio" | "shrinkGraceMs"
    >,
    private readonly clock: Clock,
    private readonly onDue: () => void,
  ) {}

  get held(): HeldLoss | null {
    return this.#hold;
  }

  /**
   * What is to be in use after an answer.
   * @param current in use now
   */
  judge(current: readonly Endpoint[], answer: readonly Endpoint[]): readonly Endpoint[] {
    if (this.#wasDown) this.#noteRecovery();
    const lost = lostFrom(current, answer);
    if (
      this.#isSuspicious(current.length, answer.length) &&
      this.#isHeldBack(answer.length === 0 ? "empty" : "shrink", lost)
    ) {
      return [...answer, ...lost];
    }
    this.release();
    return answer;
  }

  /** The source failed: whatever it said of an empty set before is forgotten. */
  noteFailure(): void {
    this.#wasDown = true;
    if (this.#hold?.why === "empty") this.release();
  }

  release(): void {
    this.#hold?.timer?.cancel();
    this.#hold = null;
  }

  /** A registry that comes back may have lost what it knew: it is as little believed as an empty answer. */
  #noteRecovery(): void {
    this.#wasDown = false;
    this.#recoveringUntilMs = this.clock.now() + this.options.emptyGraceMs;
  }

  /** By number: where as many come as go, the source knows what it says. */
  #isSuspicious(current: number, answered: number): boolean {
    if (current === 0 || answered >= current) return false;
    return answered === 0 || 1 - answered / current > this.options.maxShrinkRatio;
  }

  /** False when it has lasted. A later loss of another kind keeps the longer of both waits. */
  #isHeldBack(why: HeldLoss["why"], lost: readonly Endpoint[]): boolean {
    const hold = this.#hold;
    const now = this.clock.now();
    if (hold !== null && now >= hold.untilMs) return false;
    if (hold?.why === why) {
      hold.lost = lost;
      return true;
    }
    const { emptyGraceMs, shrinkGraceMs } = this.options;
    const graceMs = why === "empty" ? emptyGraceMs : shrinkGraceMs;
    const untilMs = Math.max(now + graceMs, hold?.untilMs ?? 0, this.#recoveringUntilMs);
    if (untilMs <= now) return false;
    this.release();
    const fresh: Hold = { why, lost, since: hold?.since ?? this.clock.epoch(), untilMs, timer: null };
    this.#hold = fresh;
    fresh.timer = this.clock.setTimer(() => {
      fresh.timer = null;
      this.onDue();
    }, untilMs - now);
    return true;
  }
}
