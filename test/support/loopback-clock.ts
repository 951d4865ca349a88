import { ManualClock } from "./manual-clock.js";

/**
 * A manual clock for tests with real sockets: its epoch begins at the machine's, because grpc-js measures the deadlines
 * it is given by that. Give calls a relative timeout (`callOptions({ timeoutMs })`): one by the machine's own time is
 * over once this clock has gone far enough.
 */
export class LoopbackClock extends ManualClock {
  readonly #epochAtZero = Date.now() - super.now();
  #frozenMs = 0;
  #asleepMs = 0;

  override now(): number {
    return super.now() + this.#frozenMs;
  }

  override epoch(): number {
    return this.#epochAtZero + this.now() + this.#asleepMs;
  }

  /** A laptop is shut and opened again: the wall clock has gone on, the monotonic one and the timers have not. */
  sleep(ms: number): void {
    this.#asleepMs += ms;
  }

  /** A process is stopped and goes on, as a function between two requests: both clocks have gone on, no timer fired. */
  freeze(ms: number): void {
    this.#frozenMs += ms;
  }
}
