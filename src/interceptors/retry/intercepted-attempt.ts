import type { InterceptorOptions, Metadata, NextCall, status as Status, StatusObject } from "@grpc/grpc-js";
import type { CallBelow } from "../plain/call-types.js";
import { acknowledge, type Outgoing, type ReplayBuffer } from "./replay-buffer.js";

/** What an attempt tells its call. */
export interface AttemptOwner {
  onAttemptHeaders(attempt: InterceptedAttempt, metadata: Metadata): void;
  onAttemptMessage(attempt: InterceptedAttempt, message: unknown): void;
  onAttemptStatus(attempt: InterceptedAttempt, status: StatusObject): void;
}

export interface AttemptFacts {
  /** Call options of this attempt, with its own deadline. */
  readonly options: InterceptorOptions;
  /** 1 for the first. */
  readonly number: number;
  /** Monotonic ms. */
  readonly startedAt: number;
  /** Its own limit ends before the call's deadline. */
  readonly isLimited: boolean;
  /** Of all attempts through the interceptor, which one it is. */
  readonly serial: number;
}

/**
 * One try: a call of the interceptors below, fed from the call's buffer one message at a time, because grpc-js's call,
 * and any `InterceptingCall` whose start is not done, hold one unsent message and silently lose others.
 */
export class InterceptedAttempt {
  hasHeaders = false;
  hasMessage = false;
  /** grpc-js tells of a missing single response by a null before the status. */
  holdsNull = false;
  #below: CallBelow | null = null;
  /** Absolute index of the next message to send. */
  #next = 0;
  #writing: Outgoing | null = null;
  #isHalfClosed = false;
  #isEnded = false;

  constructor(
    readonly facts: AttemptFacts,
    private readonly owner: AttemptOwner,
    private readonly buffer: ReplayBuffer,
  ) {}

  get number(): number {
    return this.facts.number;
  }

  /** @throws what an interceptor below, or a closed channel, throws */
  start(nextCall: NextCall, metadata: Metadata, reads: number): void {
    const below = nextCall(this.facts.options);
    this.#below = below;
    below.start(metadata, {
      onReceiveMetadata: (headers) => this.#onHeaders(headers),
      onReceiveMessage: (message) => this.#onMessage(message),
      onReceiveStatus: (status) => this.#onStatus(status),
    });
    for (let read = 0; read < reads && !this.#isEnded; read++) below.startRead();
    this.pump();
  }

  /** Messages handed on; the last of them may still be on its way, and is kept until then. */
  get sentCount(): number {
    return this.#next;
  }

  /** Of those, the ones of which the caller was told. */
  get writtenCount(): number {
    return this.#writing === null ? this.#next : this.#next - 1;
  }

  get below(): CallBelow | null {
    return this.#below;
  }

  /** Address that was called; null while there is none. */
  get endpoint(): string | null {
    const peer = this.#below?.getPeer() ?? "unknown";
    return peer === "unknown" ? null : peer;
  }

  startRead(): void {
    if (!this.#isEnded) this.#below?.startRead();
  }

  /** Sends what can be sent: one message, then waits for its callback. */
  pump(): void {
    const below = this.#below;
    if (below === null || this.#isEnded || this.#isHalfClosed || this.#writing !== null) return;
    const entry = this.buffer.at(this.#next);
    if (entry !== undefined) {
      this.#next++;
      this.#writing = entry;
      below.sendMessageWithContext(
        { ...entry.context, callback: () => this.#onWritten(entry) },
        entry.message,
      );
    }
    // The half-close may follow the last message at once: grpc-js keeps their order.
    if (this.#canHalfClose()) {
      this.#isHalfClosed = true;
      below.halfClose();
    }
  }

  /** Ends it, unheard from now on. */
  drop(code: Status, details: string): void {
    this.#isEnded = true;
    this.#writing = null;
    this.#below?.cancelWithStatus(code, details);
  }

  /** grpc-js calls back more than once, and for a call that is over too. */
  #onWritten(entry: Outgoing): void {
    if (this.#writing !== entry) return;
    this.#writing = null;
    this.buffer.forgetBefore(this.#next);
    acknowledge(entry);
    this.pump();
  }

  #onHeaders(metadata: Metadata): void {
    if (this.#isEnded || this.hasHeaders) return;
    this.hasHeaders = true;
    this.owner.onAttemptHeaders(this, metadata);
  }

  #onMessage(message: unknown): void {
    if (this.#isEnded) return;
    if (message === null) {
      this.holdsNull = true;
      return;
    }
    this.hasMessage = true;
    this.owner.onAttemptMessage(this, message);
  }

  #onStatus(status: StatusObject): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#writing = null;
    this.owner.onAttemptStatus(this, status);
  }

  /** A write that calls back at once may have done it already. */
  #canHalfClose(): boolean {
    return (
      !this.#isEnded && !this.#isHalfClosed && this.buffer.isHalfClosed && this.#next === this.buffer.end
    );
  }
}
