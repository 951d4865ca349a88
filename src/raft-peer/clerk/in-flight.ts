import type { Clock, Timer } from "../../core/index.js";
import type { Leader } from "../clerk-api.js";
import type { Doubter } from "./leader-finder.js";

/** An operation, as far as the attempt under way is concerned. */
export interface Attempting extends Doubter {
  /** When it was sent; null when there is none. */
  readonly sentAt: number | null;
  moveTo(leader: Leader): void;
}

/** The attempts under way, oldest first. One timer for all of them tells which have been without an answer for long. */
export class InFlight {
  readonly #operations = new Set<Attempting>();
  #timer: Timer | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly slowAfterMs: number,
    private readonly onSlow: (operation: Attempting) => void,
  ) {}

  get all(): readonly Attempting[] {
    return [...this.#operations];
  }

  add(operation: Attempting): void {
    this.#operations.add(operation);
    this.#timer ??= this.clock.setTimer(this.#onTimer, this.slowAfterMs);
  }

  remove(operation: Attempting): void {
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
        // Whole milliseconds: a rest too small to move a floating clock would fire for ever.
        this.#timer = this.clock.setTimer(this.#onTimer, Math.ceil(this.slowAfterMs - waitedMs));
        return;
      }
      this.onSlow(operation);
    }
  };
}
