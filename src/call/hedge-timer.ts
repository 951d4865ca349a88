import type { Timer } from "../core/index.js";
import type { HedgePlan } from "../retry/index.js";
import type { HistoryOwner } from "./attempt-history.js";
import { transparentDelayMs } from "./transparent-delay.js";

/** The one timer of a hedged call, for the attempts that follow a failure and those that the plan has. */
export class HedgeTimer {
  #timer: Timer | null = null;
  #dueNow = 0;
  #transparent = 0;

  constructor(
    private readonly call: HistoryOwner,
    private readonly plan: HedgePlan,
    private readonly onDue: () => void,
  ) {}

  /** Attempts that start when it fires, whatever the plan says. */
  get dueNow(): number {
    return this.#dueNow;
  }

  /** One more attempt a turn later: a failure that repeats itself at once would starve timers and sockets. */
  add(isTransparent: boolean): void {
    this.#dueNow++;
    if (isTransparent) this.#transparent++;
  }

  takeDueNow(): number {
    const due = this.#dueNow;
    this.#dueNow = 0;
    return due;
  }

  /** @param isPlanHeld true while an attempt waits for an endpoint: then there is none for the next one either */
  arm(isPlanHeld: boolean): void {
    this.#timer?.cancel();
    this.#timer = null;
    const { limits, env } = this.call;
    const planned = isPlanHeld ? Number.POSITIVE_INFINITY : this.plan.dueAt - limits.now;
    const waitMs = this.#dueNow > 0 ? transparentDelayMs(this.#transparent) : planned;
    if (waitMs === Number.POSITIVE_INFINITY) return;
    const onDue = (): void => {
      this.#timer = null;
      this.onDue();
    };
    this.#timer = env.clock.setTimer(onDue, Math.min(waitMs, limits.timeLeftMs), { keepAlive: true });
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#dueNow = 0;
  }
}
