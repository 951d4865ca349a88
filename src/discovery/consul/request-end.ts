import type { Duplex } from "node:stream";
import { type Clock, onAbort, type Timer } from "../../core/index.js";

/**
 * The end of one request, whoever brings it about: an answer, a failure, its timeout, an abort. At that moment, not a
 * turn later, its timer and its sockets are gone.
 */
export class RequestEnd {
  /** Rejects when the request fails before it is answered. */
  readonly failed: Promise<never>;
  #reject: (error: Error) => void = () => {};
  #isOver = false;
  readonly #timer: Timer;
  readonly #stopHearing: () => void;
  readonly #sockets: Duplex[] = [];

  constructor(clock: Clock, given: { readonly timeoutMs: number; readonly signal?: AbortSignal }) {
    const { timeoutMs, signal } = given;
    this.failed = new Promise<never>((_resolve, reject) => {
      this.#reject = reject;
    });
    // Nobody may be waiting any more.
    this.failed.catch(() => {});
    const late = () => this.fail(new Error(`Consul gave no whole answer within ${timeoutMs} ms`));
    this.#timer = clock.setTimer(late, timeoutMs);
    const cancelled = () => this.fail(new Error("the request to Consul was cancelled"));
    this.#stopHearing = signal === undefined ? () => {} : onAbort(signal, cancelled);
    if (signal?.aborted) cancelled();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** This socket does not outlive the request. */
  own(socket: Duplex): void {
    if (this.#isOver) socket.destroy();
    else this.#sockets.push(socket);
  }

  fail(error: Error): void {
    this.#reject(error);
    this.dispose();
  }

  dispose(): void {
    this.#isOver = true;
    this.#timer.cancel();
    this.#stopHearing();
    for (const socket of this.#sockets) socket.destroy();
  }
}
