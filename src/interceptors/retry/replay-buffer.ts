import type { MessageContext } from "../plain/call-types.js";

/** A message the caller has written, and how to tell it that the message is on its way. */
export interface Outgoing {
  readonly context: MessageContext;
  readonly message: unknown;
  isAcknowledged: boolean;
}

/**
 * The requests of one call, kept until no attempt can need them again. Indexes are absolute, so that attempts at
 * different positions share it. The limit is one of numbers, because messages are objects that each attempt serialises
 * again.
 */
export class ReplayBuffer {
  #entries: Outgoing[] = [];
  /** Absolute index of the first kept message. */
  #base = 0;
  #isReplayable = true;
  isHalfClosed = false;

  constructor(private readonly maxMessages: number) {}

  /** Absolute index after the last message. */
  get end(): number {
    return this.#base + this.#entries.length;
  }

  /** True while all that was written is still here (R15). */
  get isReplayable(): boolean {
    return this.#isReplayable;
  }

  /** @returns false when this message ends replaying; it is sent all the same (R15, R18) */
  add(context: MessageContext, message: unknown): boolean {
    this.#entries.push({ context, message, isAcknowledged: false });
    if (!this.#isReplayable || this.#entries.length <= this.maxMessages) return true;
    this.#isReplayable = false;
    return false;
  }

  at(index: number): Outgoing | undefined {
    return this.#entries[index - this.#base];
  }

  /** The call is committed: from here on what was sent is gone. */
  stopReplay(): void {
    this.#isReplayable = false;
  }

  /** Forgets what was sent before `index`, unless a replay may need it. */
  forgetBefore(index: number): void {
    if (this.#isReplayable || index <= this.#base) return;
    this.#entries.splice(0, index - this.#base);
    this.#base = index;
  }

  /** The call is over. Whoever waits to write the next message must not wait for ever. */
  close(): void {
    this.#isReplayable = false;
    const left = this.#entries.filter((entry) => !entry.isAcknowledged);
    this.#base = this.end;
    this.#entries = [];
    for (const entry of left) process.nextTick(() => acknowledge(entry));
  }
}

/** Once per message, whichever attempt has written it first; an attempt's error is no error of the caller's stream. */
export function acknowledge(entry: Outgoing): void {
  if (entry.isAcknowledged) return;
  entry.isAcknowledged = true;
  entry.context.callback?.();
}
