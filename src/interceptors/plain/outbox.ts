import type { CallBelow, MessageContext } from "./call-types.js";

interface Outgoing {
  readonly context: MessageContext;
  readonly message: unknown;
  isAcknowledged: boolean;
}

/**
 * The requests of a call that may have to wait, or to be sent again. They go out one at a time, each after the write
 * of the one before: grpc-js's call holds one unsent message and silently loses others.
 */
export class PlainOutbox {
  readonly #entries: Outgoing[] = [];
  /** Index of the next entry to send; those before it are kept for a repeat. */
  #next = 0;
  #isKept: boolean;
  #isHalfClosed = false;
  #isHalfCloseSent = false;
  #isWriting = false;
  #to: CallBelow | null = null;

  /** @param isKept true to keep what was sent, until `forget()`, so that it can be sent once more. */
  constructor(isKept: boolean) {
    this.#isKept = isKept;
  }

  add(context: MessageContext, message: unknown): void {
    this.#entries.push({ context, message, isAcknowledged: false });
    this.#pump();
  }

  halfClose(): void {
    this.#isHalfClosed = true;
    this.#pump();
  }

  /** Sends everything to this call, from the beginning. */
  sendTo(to: CallBelow): void {
    this.#to = to;
    this.#next = 0;
    this.#isWriting = false;
    this.#isHalfCloseSent = false;
    this.#pump();
  }

  /** The call it was sent to is over, another one may follow. */
  stop(): void {
    this.#to = null;
  }

  /** The answer has begun: nothing will be sent again. */
  forget(): void {
    if (!this.#isKept) return;
    this.#isKept = false;
    this.#entries.splice(0, this.#next);
    this.#next = 0;
  }

  /** The call is over. Whoever waits to write the next message must not wait for ever. */
  end(): void {
    this.#to = null;
    for (const entry of this.#entries.splice(0)) {
      if (!entry.isAcknowledged) process.nextTick(() => acknowledge(entry));
    }
  }

  #pump(): void {
    const to = this.#to;
    if (to === null) return;
    const entry = this.#isWriting ? undefined : this.#take();
    if (entry !== undefined) {
      this.#isWriting = true;
      const callback = (error?: Error | null): void => this.#onWritten(entry, to, error);
      to.sendMessageWithContext({ ...entry.context, callback }, entry.message);
    }
    // It may follow the last message at once: grpc-js keeps their order.
    if (this.#isHalfClosed && !this.#isHalfCloseSent && this.#next === this.#entries.length) {
      this.#isHalfCloseSent = true;
      to.halfClose();
    }
  }

  #take(): Outgoing | undefined {
    if (!this.#isKept) return this.#entries.shift();
    const entry = this.#entries[this.#next];
    if (entry !== undefined) this.#next++;
    return entry;
  }

  #onWritten(entry: Outgoing, to: CallBelow, error: Error | null | undefined): void {
    const isOfThisCall = this.#to === to && this.#isWriting;
    if (isOfThisCall) this.#isWriting = false;
    acknowledge(entry, error);
    if (isOfThisCall) this.#pump();
  }
}

/** grpc-js calls back more than once, and for a call that is over too. */
function acknowledge(entry: Outgoing, error?: Error | null): void {
  if (entry.isAcknowledged) return;
  entry.isAcknowledged = true;
  entry.context.callback?.(error);
}
