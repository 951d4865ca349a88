import type { Clock } from "./clock.js";

export interface CloseOptions {
  /** How long running work may go on before it is ended, in milliseconds. Default: the owner's `drainMs`. */
  readonly drainMs?: number;
}

/**
 * The template of everything that lives and dies: `close()` drains, `destroy()` ends what is running now, both
 * may be called again. A subclass says only how.
 */
export abstract class Closable {
  #closing: Promise<void> | null = null;
  #isDestroyed = false;

  /** True as soon as either `close()` or `destroy()` was called. */
  get isClosed(): boolean {
    return this.#closing !== null || this.#isDestroyed;
  }

  /** Takes no new work, lets running work finish within `drainMs`, then releases everything. */
  close(options: CloseOptions = {}): Promise<void> {
    if (this.#closing !== null) return this.#closing;
    if (this.#isDestroyed) return Promise.resolve();
    // Set before `onClose` runs: what it does may be heard by somebody who asks `isClosed`, or closes again.
    const { promise, resolve, reject } = withResolvers();
    this.#closing = promise;
    this.onClose(options).then(resolve, reject);
    return promise;
  }

  /** Ends what is running, now, with this error; releases everything. */
  destroy(error?: Error): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.onDestroy(error);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  protected abstract onClose(options: CloseOptions): Promise<void>;
  protected abstract onDestroy(error: Error | undefined): void;
}

/** The wait of a `close()` for what still runs, with its limit. */
export class Drain {
  #onOver: (() => void) | null = null;

  constructor(private readonly clock: Clock) {}

  /** Resolves with `over()`. After `drainMs` `onExpired` is to end what still runs; being awaited, it keeps the process alive. */
  wait(drainMs: number, onExpired: () => void): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.clock.setTimer(onExpired, drainMs, { keepAlive: true });
      this.#onOver = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  /** Nothing runs any more; does nothing when nobody waits. */
  over(): void {
    const onOver = this.#onOver;
    this.#onOver = null;
    onOver?.();
  }
}

/** `Promise.withResolvers`, which Node 20 lacks. */
function withResolvers(): { promise: Promise<void>; resolve: () => void; reject: (error: unknown) => void } {
  let resolve: () => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** What subscribing returns: call `dispose()`, or hold it with `using`, to stop. */
export class Subscription implements Disposable {
  #stop: (() => void) | null;

  constructor(stop: () => void) {
    this.#stop = stop;
  }

  dispose(): void {
    const stop = this.#stop;
    this.#stop = null;
    stop?.();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
