import type { Clock, Timer } from "../../core/index.js";
import type { Operation } from "./operation.js";

/** The attempts under way, oldest first. One timer for all of them tells which have been without an answer for long. */
export class InFlight {
  readonly #operations = new Set<Operation>();
  #timer: Timer | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly slowAfterMs: number,
    private readonly onSlow: (operation: Operation) => void,
  ) {}

  get all(): readonly Operation[] {
    return [...this.#operations];
  }

  add(operation: Operation): void {
    this.#operations.add(operation);
    this.#timer ??= this.clock.setTimer(this.#onTimer, this.slowAfterMs);
  }

  remove(operation: Operation): void {
    this.#operations.delete(operation);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Left armed while it finds nothing due, rather than set anew for every attempt. */
  readonly #onTimer = (): void => {
    this.#timer = null;
    const now = this.clock.now();
    for (const operation of this.all) {
      const waitedMs = now - (operation.sentAt ?? now);
      if (waitedMs < this.slowAfterMs) {
        this.#timer = this.clock.setTimer(this.#onTimer, this.slowAfterMs - waitedMs);
        return;
      }
      this.onSlow(operation);
    }
  };
}
