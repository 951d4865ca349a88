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
  /** `due` once the loss has lasted; `paused` while the source fails. */
  phase: "lasting" | "due" | "paused";
  /** How long it had lasted before its last failure, the time of failures apart. */
  lastedMs: number;
  /** Since when it lasts again, and until when it has to; monotonic ms. */
  fromMs: number;
  untilMs: number;
  timer: Timer | null;
}

/**
 * Decides when an answer is believed that takes endpoints away: an empty one, or one that leaves the set smaller by more
 * than `maxShrinkRatio`. Such an answer is believed when the source has stuck to it for a while; until then a smaller loss
 * waits with it, as a source that fills up again comes through all sizes. What an answer adds is never held. A loss that
 * the source has stuck to for `emptyGraceMs`, the times apart in which it failed, is believed however often it fails: or one
 * that fails now and then would never get rid of an endpoint.
 */
export class LossGuard {
  #hold: Hold | null = null;
  /** Until then the source is known to have been down lately, and may not know everything again. Monotonic ms. */
  #recoveringUntilMs = Number.NEGATIVE_INFINITY;
  #wasDown = false;
  #answeredBeforeMs = 0;
  /** Monotonic ms; null while it fails. */
  #answersSinceMs: number | null = null;
  /** Since when, in the time of `#answeredMs`, the held endpoints have not been named. */
  #unnamedSince = new Map<string, number>();

  /**
   * @param onDue the time is over that a held loss had to last: is it confirmed? Once more, with true, when the source has
   *   neither answered nor failed for as long as a question may take
   */
  constructor(
    private readonly options: Pick<
      ResolvedDiscoveryOptions,
      "emptyGraceMs" | "lookupTimeoutMs" | "maxShrinkRatio" | "minIntervalMs" | "shrinkGraceMs"
    >,
    private readonly clock: Clock,
    private readonly onDue: (isSilent: boolean) => void,
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
      const lost = this.#unforgotten(lostFrom(current, answer), answer.length === 0);
      const why = answer.length === 0 ? "empty" : "shrink";
      if (lost.length > 0 && this.#isHeldBack(why, lost)) return [...answer, ...lost];
    }
    this.release();
    return answer;
  }

  /**
   * Of those that an answer lacks the ones that were named not too long ago: or a source that is empty and not empty in
   * turn, with other endpoints each time, would keep all of them. An empty answer does not make them older than that alone.
   */
  #unforgotten(lost: readonly Endpoint[], isEmpty: boolean): readonly Endpoint[] {
    const now = this.#answeredMs;
    const before = this.#unnamedSince;
    this.#unnamedSince = new Map(lost.map(({ address }) => [address, before.get(address) ?? now]));
    if (isEmpty) return lost;
    const { emptyGraceMs, shrinkGraceMs } = this.options;
    const oldest = now - Math.max(emptyGraceMs, shrinkGraceMs);
    return lost.filter(({ address }) => (this.#unnamedSince.get(address) ?? now) > oldest);
  }

  /** For how long the source has answered in all, the times apart in which it failed. */
  get #answeredMs(): number {
    return (
      this.#answeredBeforeMs + (this.#answersSinceMs === null ? 0 : this.clock.now() - this.#answersSinceMs)
    );
  }

  /** The source has answered. One that comes back may have lost what it knew: it is as little believed as an empty answer. */
  noteAnswer(): void {
    this.#answersSinceMs ??= this.clock.now();
    if (!this.#wasDown) return;
    this.#wasDown = false;
    this.#recoveringUntilMs = this.clock.now() + this.options.emptyGraceMs;
  }

  /** The source failed: what it said last still holds, but no time runs for it. */
  noteFailure(): void {
    this.#wasDown = true;
    this.#answeredBeforeMs = this.#answeredMs;
    this.#answersSinceMs = null;
    const hold = this.#hold;
    if (hold === null) return;
    if (hold.phase !== "paused") hold.lastedMs += this.clock.now() - hold.fromMs;
    hold.timer?.cancel();
    hold.timer = null;
    hold.phase = "paused";
  }

  release(): void {
    this.#hold?.timer?.cancel();
    this.#hold = null;
    this.#unnamedSince.clear();
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

  /** A later loss of another kind keeps the longer of both waits, one that was paused what was left of its own. */
  #endOf(why: HeldLoss["why"], now: number): number {
    const hold = this.#hold;
    const { emptyGraceMs, shrinkGraceMs } = this.options;
    const { lastedMs } = this.#before(why, now);
    const ownMs = now + (why === "empty" ? emptyGraceMs : shrinkGraceMs);
    const ownLeftMs = hold?.phase === "paused" && hold.why === why ? ownMs - lastedMs : ownMs;
    const begunMs = hold?.phase === "lasting" ? hold.untilMs : ownLeftMs;
    const wantedMs = Math.max(ownLeftMs, begunMs, this.#recoveringUntilMs);
    return Math.min(wantedMs, now + Math.max(emptyGraceMs, shrinkGraceMs) - lastedMs);
  }

  /** What of the time of a hold counts for its successor: a set that was only smaller says nothing for an empty one. */
  #before(why: HeldLoss["why"], now: number): Pick<Hold, "lastedMs" | "fromMs"> {
    const hold = this.#hold;
    if (hold === null || (hold.why === "shrink" && why === "empty")) return { lastedMs: 0, fromMs: now };
    return { lastedMs: hold.lastedMs, fromMs: hold.phase === "paused" ? now : hold.fromMs };
  }

  /** The same hold where only its time goes on: nobody has to be told of it twice. */
  #lasting(why: HeldLoss["why"], lost: readonly Endpoint[], untilMs: number): Hold {
    const hold = this.#hold;
    const stretch = { lost, untilMs, phase: "lasting" as const, ...this.#before(why, this.clock.now()) };
    if (hold?.why === why) return Object.assign(hold, stretch);
    return { why, since: hold?.since ?? this.clock.epoch(), timer: null, ...stretch };
  }

  /** The timer says when it is over, not the clock: timers of Node may fire a little early by it. */
  #arm(hold: Hold, delayMs: number): void {
    hold.timer = this.clock.setTimer(() => {
      const { lookupTimeoutMs, minIntervalMs } = this.options;
      hold.phase = "due";
      hold.timer = this.clock.setTimer(() => this.onDue(true), minIntervalMs + lookupTimeoutMs);
      this.onDue(false);
    }, delayMs);
  }
}
