import type { Clock, Timer } from "../core/index.js";

/** What a stream that stays silent for too long leads to. */
export interface StreamWatchOwner {
  /** No response headers within `firstResponseTimeoutMs` of the attempt's start. */
  onNoFirstResponse(afterMs: number): void;
  /** No message for `streamIdleTimeoutMs`, while the application waits for one. */
  onStreamIdle(afterMs: number): void;
}

/**
 * Watches over one response stream, with one timer: it is not set anew for every message, but when it fires it looks
 * how long the silence has lasted.
 */
export class StreamWatch {
  #timer: Timer | null = null;
  #hasBegun = false;
  #isAwaiting = false;
  #lastAt = 0;

  constructor(
    private readonly clock: Clock,
    private readonly firstResponseMs: number | null,
    private readonly idleMs: number | null,
    private readonly owner: StreamWatchOwner,
  ) {}

  /** An attempt starts. */
  onAttempt(isReading: boolean): void {
    this.#hasBegun = false;
    this.#isAwaiting = isReading;
    this.#touch();
    this.#arm();
  }

  /** The response has begun. */
  onHeaders(): void {
    this.#hasBegun = true;
    this.#touch();
    this.#arm();
  }

  /** The application asks for the next message: from now on silence is the server's. */
  onRead(): void {
    this.#isAwaiting = true;
    this.#touch();
  }

  /** A message went out or came in. */
  onMessage(isIncoming: boolean): void {
    if (isIncoming) this.#isAwaiting = false;
    this.#touch();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #touch(): void {
    this.#lastAt = this.clock.now();
  }

  #arm(): void {
    this.stop();
    const limitMs = this.#hasBegun ? this.idleMs : this.firstResponseMs;
    if (limitMs === null) return;
    const waitMs = this.#lastAt + limitMs - this.clock.now();
    this.#timer = this.clock.setTimer(() => this.#onTimer(limitMs), Math.max(waitMs, 1), { keepAlive: true });
  }

  #onTimer(limitMs: number): void {
    this.#timer = null;
    if (!this.#hasBegun) return this.owner.onNoFirstResponse(limitMs);
    const isSilent = this.clock.now() - this.#lastAt >= limitMs;
    if (isSilent && this.#isAwaiting) return this.owner.onStreamIdle(limitMs);
    // The application is slow, not the server: the silence begins when it reads again.
    if (isSilent) this.#touch();
    this.#arm();
  }
}
