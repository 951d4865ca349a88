/** Bytes that all calls of a channel hold for possible retries (R19). */
export class BufferBudget {
  #taken = 0;

  constructor(
    readonly maxPerCallBytes: number,
    readonly maxPerChannelBytes: number,
  ) {}

  get takenBytes(): number {
    return this.#taken;
  }

  /** True when `bytes` more fit for a call that already holds `heldBytes`; they count from now on. */
  take(bytes: number, heldBytes: number): boolean {
    if (heldBytes + bytes > this.maxPerCallBytes || this.#taken + bytes > this.maxPerChannelBytes)
      return false;
    this.#taken += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#taken -= bytes;
  }
}

/** A serialised message the application wrote, with the callback that tells it the message is on its way. */
export interface OutgoingMessage {
  message: Buffer;
  readonly flags: number | undefined;
  callback: (() => void) | undefined;
}

/** In place of a message that is gone. */
const SENT = Buffer.alloc(0);

/**
 * What the application has written, kept until no attempt can need it again. Indexes are absolute, so that attempts
 * at different positions can share it. Most calls write one message, which is kept without an array.
 */
export class Outbox {
  #only: OutgoingMessage | null = null;
  /** All kept messages, from the second on. */
  #many: OutgoingMessage[] | null = null;
  /** Absolute index of the first kept message. */
  #base = 0;
  #heldBytes = 0;
  #isReplayable = true;
  isHalfClosed = false;

  constructor(private readonly budget: BufferBudget) {}

  /** Absolute index after the last message. */
  get end(): number {
    return this.#base + (this.#many === null ? (this.#only === null ? 0 : 1) : this.#many.length);
  }

  /** True while the whole outgoing stream is still here (R15). */
  get isReplayable(): boolean {
    return this.#isReplayable;
  }

  /** Adds a message; one over the limits is sent all the same, but ends replaying (R15, R18). */
  add(entry: OutgoingMessage): void {
    if (this.#many !== null) this.#many.push(entry);
    else if (this.#only === null) this.#only = entry;
    else {
      this.#many = [this.#only, entry];
      this.#only = null;
    }
    if (!this.#isReplayable) return;
    const { length } = entry.message;
    if (this.budget.take(length, this.#heldBytes)) this.#heldBytes += length;
    else this.stopReplay();
  }

  at(index: number): OutgoingMessage | undefined {
    if (this.#many !== null) return this.#many[index - this.#base];
    return index === this.#base ? (this.#only ?? undefined) : undefined;
  }

  /** grpc-js has the message now; one that nobody will send again is not held a second time. */
  onSent(index: number): void {
    if (this.#isReplayable) return;
    const entry = this.at(index);
    if (entry !== undefined) entry.message = SENT;
  }

  /** From here on what was sent is gone: the attempt is committed, or the buffer is full. */
  stopReplay(): void {
    if (!this.#isReplayable) return;
    this.#isReplayable = false;
    this.budget.release(this.#heldBytes);
    this.#heldBytes = 0;
  }

  /** Forgets messages before `index`, unless a replay may need them. */
  forgetBefore(index: number): void {
    if (this.#isReplayable) return;
    while (this.#base < index && this.end > this.#base) {
      if (this.#many === null) this.#only = null;
      else this.#many.shift();
      this.#base++;
    }
  }

  /** The end of the call: frees everything, and calls the callbacks of messages that no attempt got to send. */
  close(): void {
    this.stopReplay();
    if (this.#only !== null) callBack(this.#only);
    if (this.#many !== null) this.#many.forEach(callBack);
    this.#only = null;
    this.#many = null;
  }
}

function callBack({ callback }: OutgoingMessage): void {
  if (callback !== undefined) process.nextTick(callback);
}
