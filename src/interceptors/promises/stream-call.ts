import { status as Status } from "@grpc/grpc-js";
import { type CallEnd, rejectLater } from "./call-failure.js";
import type { CallWay } from "./call-way.js";
import type { BidiStream } from "./promise-types.js";
import { PromisedCall } from "./promised-call.js";
import { RequestWriter } from "./request-writer.js";

/** Read ahead of the reader, so that neither waits for the other at every message; whichever comes first. */
const MAX_AHEAD_MESSAGES = 100;
const MAX_AHEAD_BYTES = 1024 * 1024;

type Step<Res> = IteratorResult<Res, undefined>;

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** A call with a stream of answers; unless it was given its one request, with a stream of requests too. */
export class StreamCall<Req, Res> extends PromisedCall implements BidiStream<Req, Res> {
  readonly #ahead: Res[] = [];
  /** Bytes read ahead since nothing was. */
  #bytesAhead = 0;
  #isReadAsked = false;
  #readers: ((step: Step<Res> | Promise<never>) => void)[] = [];
  /** The reader has left: there is nothing more to tell it. */
  #isLeft = false;
  readonly writer = new RequestWriter(this);

  override begin(way: CallWay, request: unknown): void {
    super.begin(way, request);
    this.#readOn();
  }

  write(message: Req): Promise<void> {
    return this.writer.write(message);
  }

  end(): void {
    this.writer.end();
  }

  next(): Promise<Step<Res>> {
    if (this.#ahead.length > 0) {
      const value = this.#ahead.shift() as Res;
      this.#readOn();
      return Promise.resolve({ done: false, value });
    }
    if (this.#isLeft) return Promise.resolve(DONE);
    if (this.ended !== null) return Promise.resolve(lastStep(this.ended));
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  return(): Promise<Step<Res>> {
    this.#isLeft = true;
    this.#ahead.length = 0;
    for (const tell of this.#readers.splice(0)) tell(DONE);
    this.abort("The reader left the stream before its end", undefined);
    return Promise.resolve(DONE);
  }

  cancel(reason?: unknown): void {
    this.abort("The call was cancelled by its caller", reason);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  onMessage(message: unknown, bytes: number): void {
    this.hasMessage = true;
    this.#isReadAsked = false;
    if (this.fault !== null) return;
    const tell = this.#readers.shift();
    if (tell !== undefined) tell({ done: false, value: message as Res });
    else {
      this.#ahead.push(message as Res);
      this.#bytesAhead += bytes;
    }
    this.#readOn();
  }

  onSent(): void {
    this.writer.onSent();
  }

  protected override onEnd(end: CallEnd): void {
    this.writer.onEnd(end);
    for (const tell of this.#readers.splice(0)) tell(lastStep(end));
  }

  /** What was read ahead is of no use to somebody who gave the call up. */
  protected override abort(details: string, cause: unknown): void {
    if (this.ended === null) this.#ahead.length = 0;
    super.abort(details, cause);
  }

  /** Asks for the next message while there is room for it; beyond that, flow control makes the server wait. */
  #readOn(): void {
    if (this.#ahead.length === 0) this.#bytesAhead = 0;
    const isFull = this.#ahead.length >= MAX_AHEAD_MESSAGES || this.#bytesAhead >= MAX_AHEAD_BYTES;
    if (isFull || this.#isReadAsked || this.ended !== null || this.fault !== null) return;
    this.#isReadAsked = true;
    this.call?.read();
  }
}

/** Asked again, a failed stream fails again: its end must not pass for a good one. */
function lastStep(end: CallEnd): IteratorReturnResult<undefined> | Promise<never> {
  const isGood = end.fault === null && end.status.code === Status.OK;
  return isGood ? DONE : rejectLater(end);
}
