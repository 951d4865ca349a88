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

/** Without flags and callback the bytes say it all. */
export type Outgoing = Buffer | OutgoingMessage;

export function bytesOf(entry: Outgoing): Buffer {
  return "message" in entry ? entry.message : entry;
}

/** In place of a message that is gone. */
const SENT = Buffer.alloc(0);

/**
 * What the application has written, kept until no attempt can need it again. Indexes are absolute, so that attempts
 * at different positions can share it. Most calls write one message, which is kept without an array.
 */
export class Outbox {
  /** An array from the second message on. */
  #kept: Outgoing | Outgoing[] | null = null;
  /** Absolute index of the first kept message. */
  #base = 0;
  /** Bytes that count against the budget; -1 once nothing is kept for a replay any more. */
  #heldBytes = 0;
  isHalfClosed = false;

  constructor(private readonly budget: BufferBudget) {}

  /** Absolute index after the last message. */
  get end(): number {
    const kept = this.#kept;
    return this.#base + (kept === null ? 0 : Array.isArray(kept) ? kept.length : 1);
  }

  /** True while the whole outgoing stream is still here (R15). */
  get isReplayable(): boolean {
    return this.#heldBytes >= 0;
  }

  /** Adds a message; one over the limits is sent all the same, but ends replaying (R15, R18). */
  add(message: Buffer, flags?: number, callback?: () => void): void {
    const entry = flags === undefined && callback === undefined ? message : { message, flags, callback };
    if (this.#kept === null) this.#kept = entry;
    else if (Array.isArray(this.#kept)) this.#kept.push(entry);
    else this.#kept = [this.#kept, entry];
    if (!this.isReplayable) return;
    const { length } = message;
    if (this.budget.take(length, this.#heldBytes)) this.#heldBytes += length;
    else this.stopReplay();
  }

  at(index: number): Outgoing | undefined {
    const kept = this.#kept;
    if (Array.isArray(kept)) return kept[index - this.#base];
    return index === this.#base ? (kept ?? undefined) : undefined;
  }

  /** grpc-js has the message now; one that nobody will send again is not held a second time. */
  onSent(index: number): void {
    const kept = this.#kept;
    if (this.isReplayable || kept === null) return;
    if (!Array.isArray(kept)) {
      if ("message" in kept) kept.message = SENT;
      else this.#kept = SENT;
      return;
    }
    const entry = kept[index - this.#base];
    if (entry === undefined) return;
    if ("message" in entry) entry.message = SENT;
    else kept[index - this.#base] = SENT;
  }

  /** From here on what was sent is gone: the attempt is committed, or the buffer is full. */
  stopReplay(): void {
    if (!this.isReplayable) return;
    this.budget.release(this.#heldBytes);
    this.#heldBytes = -1;
  }

  /** Forgets messages before `index`, unless a replay may need them. */
  forgetBefore(index: number): void {
    if (this.isReplayable) return;
    while (this.#base < index && this.end > this.#base) {
      if (Array.isArray(this.#kept)) this.#kept.shift();
      else this.#kept = null;
      this.#base++;
    }
  }

  /** The end of the call: frees everything, and calls the callbacks of messages that no attempt got to send. */
  close(): void {
    this.stopReplay();
    const kept = this.#kept;
    this.#kept = null;
    if (Array.isArray(kept)) kept.forEach(callBack);
    else if (kept !== null) callBack(kept);
  }
}

function callBack(entry: Outgoing): void {
  if (!("message" in entry) || entry.callback === undefined) return;
  process.nextTick(entry.callback);
  // The attempt that was writing it may hear of it still.
  entry.callback = undefined;
}
