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

interface Hold extends HeldLoss {
  lost: readonly Endpoint[];
  /** `due` once the loss has lasted; `paused` while the source fails, after which the time begins anew. */
  phase: "lasting" | "due" | "paused";
  /** Monotonic ms. */
  untilMs: number;
  timer: Timer | null;
}

/**
 * Decides when an answer is believed that takes endpoints away: an empty one, or one that leaves the set smaller by more
 * than `maxShrinkRatio`. Such an answer is believed when the source has stuck to it for a while; until then a smaller loss
 * waits with it, as a source that fills up again comes through all sizes. What an answer adds is never held.
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
    if (this.#isDoubtful(current.length, answer.length)) {
      const lost = lostFrom(current, answer);
      if (this.#isHeldBack(answer.length === 0 ? "empty" : "shrink", lost)) return [...answer, ...lost];
    }
    this.release();
    return answer;
  }

  /** The source has answered. One that comes back may have lost what it knew: it is as little believed as an empty answer. */
  noteAnswer(): void {
    if (!this.#wasDown) return;
    this.#wasDown = false;
    this.#recoveringUntilMs = this.clock.now() + this.options.emptyGraceMs;
  }

  /** The source failed: how long it has stuck to a loss counts no more, but the loss is still what it said last. */
  noteFailure(): void {
    this.#wasDown = true;
    if (this.#hold === null) return;
    this.#hold.timer?.cancel();
    this.#hold.timer = null;
    this.#hold.phase = "paused";
  }

  release(): void {
    this.#hold?.timer?.cancel();
    this.#hold = null;
  }

  /** By number: where as many come as go, the source knows what it says. */
  #isDoubtful(current: number, answered: number): boolean {
    if (answered >= current) return false;
    return this.#hold !== null || answered === 0 || 1 - answered / current > this.options.maxShrinkRatio;
  }

  /** False when it has lasted. Only an empty answer confirms an empty one. */
  #isHeldBack(why: HeldLoss["why"], lost: readonly Endpoint[]): boolean {
    const hold = this.#hold;
    if (hold?.phase === "due" && (hold.why === "empty" || why === "shrink")) return false;
    if (hold?.phase === "lasting" && hold.why === why) {
      hold.lost = lost;
      return true;
    }
    const now = this.clock.now();
    const untilMs = this.#endOf(why, now);
    if (untilMs <= now) return false;
    this.#hold = this.#lasting(why, lost, untilMs);
    hold?.timer?.cancel();
    this.#arm(this.#hold, untilMs - now);
    return true;
  }

  /** A later loss of another kind keeps the longer of both waits. */
  #endOf(why: HeldLoss["why"], now: number): number {
    const { emptyGraceMs, shrinkGraceMs } = this.options;
    const ownMs = now + (why === "empty" ? emptyGraceMs : shrinkGraceMs);
    const begunMs = this.#hold?.phase === "lasting" ? this.#hold.untilMs : ownMs;
    return Math.max(ownMs, begunMs, this.#recoveringUntilMs);
  }

  /** The same hold where only its time begins anew: nobody has to be told of it twice. */
  #lasting(why: HeldLoss["why"], lost: readonly Endpoint[], untilMs: number): Hold {
    const hold = this.#hold;
    if (hold?.why === why) return Object.assign(hold, { lost, untilMs, phase: "lasting" as const });
    const since = hold?.since ?? this.clock.epoch();
    return { why, lost, since, untilMs, phase: "lasting", timer: null };
  }

  /** The timer says when it is over, not the clock: timers of Node may fire a little early by it. */
  #arm(hold: Hold, delayMs: number): void {
    hold.timer = this.clock.setTimer(() => {
      hold.timer = null;
      hold.phase = "due";
      this.onDue();
    }, delayMs);
  }
}
