import type { Timer } from "../core/index.js";
import type { PickQueue, PickWaiter } from "../pool/index.js";
import type { CallLimits } from "./call-limits.js";

/** A call's place in the queue for an endpoint, until its deadline at the latest. */
export class QueueWait {
  #place: { readonly queue: PickQueue; readonly timer: Timer } | null = null;

  constructor(
    private readonly waiter: PickWaiter & { readonly limits: CallLimits },
    private readonly onTimeout: () => void,
  ) {}

  enter(queue: PickQueue): void {
    if (this.#place !== null) return;
    this.#place = { queue, timer: this.waiter.limits.untilDeadline(this.onTimeout) };
    queue.add(this.waiter);
  }

  leave(): void {
    if (this.#place === null) return;
    this.#place.timer.cancel();
    this.#place.queue.remove(this.waiter);
    this.#place = null;
  }
}
