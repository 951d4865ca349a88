/** A pending timer; cancelling one that has fired or was cancelled does nothing. */
export interface Timer {
  cancel(): void;
}

export interface TimerOptions {
  /** True for a timer somebody awaits: it keeps the process alive. Housekeeping timers leave it false. Default false. */
  readonly keepAlive?: boolean;
}

/** Where time comes from. Everything that waits or measures takes one, so that tests can own the time. */
export interface Clock {
  /** Milliseconds on a monotonic clock; only differences mean anything. */
  now(): number;
  /** Milliseconds since the Unix epoch, for deadlines shared with grpc-js. */
  epoch(): number;
  /** Calls back once, `delayMs` from now (at once, but never synchronously, when it is not positive). */
  setTimer(callback: () => void, delayMs: number, options?: TimerOptions): Timer;
}

/** Node turns longer delays into 1 ms, which would fire a one-month deadline at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

class SystemTimer implements Timer {
  #handle: NodeJS.Timeout;

  constructor(callback: () => void, delayMs: number, keepAlive: boolean) {
    this.#handle = this.#arm(callback, Math.max(0, delayMs), keepAlive);
  }

  #arm(callback: () => void, delayMs: number, keepAlive: boolean): NodeJS.Timeout {
    const handle =
      delayMs <= MAX_DELAY_MS
        ? setTimeout(callback, delayMs)
        : setTimeout(() => {
            this.#handle = this.#arm(callback, delayMs - MAX_DELAY_MS, keepAlive);
          }, MAX_DELAY_MS);
    if (!keepAlive) handle.unref();
    return handle;
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  epoch: () => Date.now(),
  setTimer: (callback, delayMs, options) => new SystemTimer(callback, delayMs, options?.keepAlive ?? false),
};
