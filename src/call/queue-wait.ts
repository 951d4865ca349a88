import type { Timer } from "../core/index.js";
import type { PickQueue, PickWaiter } from "../pool/index.js";
import type { CallLimits } from "./call-limits.js";

/** A call's place in the queue for an endpoint, for one or several of its attempts, until its deadline at the latest. */
export class QueueWait {
  #place: { readonly queue: PickQueue; readonly timer: Timer } | null = null;
  #size = 0;

  constructor(
    private readonly waiter: PickWaiter & { readonly limits: CallLimits },
    private readonly onTimeout: () => void,
  ) {}

  /** Attempts that wait. */
  get size(): number {
    return this.#size;
  }

  enter(queue: PickQueue): void {
    this.#size++;
    if (this.#place !== null) return;
    this.#place = { queue, timer: this.waiter.limits.untilDeadline(this.onTimeout) };
    queue.add(this.waiter);
  }

  /** One of them has an endpoint. */
  leave(): void {
    this.#size--;
    if (this.#size === 0) this.leaveAll();
  }

  leaveAll(): void {
    this.#size = 0;
    if (this.#place === null) return;
    this.#place.timer.cancel();
    this.#place.queue.remove(this.waiter);
    this.#place = null;
  }
}
