import { createHook } from "node:async_hooks";

interface WatchedTimer {
  readonly timer: { hasRef?(): boolean };
  readonly setAt: string;
}

/**
 * Knows every timer set since it was made that has neither fired nor been cleared. Counting timers does not do, since
 * the test runner has some of its own that come and go.
 */
export class TimerWatch {
  readonly #timers = new Map<number, WatchedTimer>();
  readonly #hook = createHook({
    init: (id, type, _trigger, timer) => {
      if (type === "Timeout") this.#timers.set(id, { timer, setAt: callerOfTimer() });
    },
    destroy: (id) => void this.#timers.delete(id),
  });

  constructor() {
    this.#hook.enable();
  }

  /** Where the timers were set that would keep the process alive; intervals count, unref'd timers do not. */
  get keepAlive(): string[] {
    return [...this.#timers.values()]
      .filter(({ timer }) => timer.hasRef?.() === true)
      .map(({ setAt }) => setAt);
  }

  close(): void {
    this.#hook.disable();
  }
}

/** The innermost line of the stack that is neither Node's own nor this file's. */
function callerOfTimer(): string {
  const lines = (new Error().stack ?? "").split("\n").slice(1);
  const caller = lines.find((line) => !line.includes("node:") && !line.includes("timer-watch"));
  return caller?.trim() ?? "by Node";
}
