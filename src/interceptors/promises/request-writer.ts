import { Metadata, status as Status } from "@grpc/grpc-js";
import { ResilienceError } from "../../core/index.js";
import { type CallEnd, rejectLater } from "./call-failure.js";
import type { Fault, OpenCall } from "./open-call.js";

/** The call that is written to. */
export interface WrittenCall {
  readonly call: OpenCall | null;
  readonly ended: CallEnd | null;
  readonly fault: Fault | null;
}

interface Write {
  readonly promise: Promise<void>;
  readonly resolve: (outcome: Promise<never> | undefined) => void;
}

/** The request stream of a call: writes settle in their order, and all of them by the end of the call. */
export class RequestWriter {
  #waiting: Write[] = [];
  #isEnded = false;
  /** Hears that the call is over. */
  onClosed: (() => void) | null = null;

  constructor(private readonly owner: WrittenCall) {}

  write(message: unknown): Promise<void> {
    const { call, ended, fault } = this.owner;
    if (ended !== null) return handled(rejectLater(endedEarly(ended)));
    if (this.#isEnded) return handled(Promise.reject(writtenAfterEnd()));
    const write = newWrite();
    this.#waiting.push(write);
    // Of a call that is being cancelled the status is on its way.
    if (fault === null) call?.send(message);
    return write.promise;
  }

  end(): void {
    const { call, ended, fault } = this.owner;
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (ended === null && fault === null) call?.halfClose();
  }

  /** A tick late: a call that fails lets go of what it never sent just before it tells its status. */
  onSent(): void {
    process.nextTick(settleOldest, this);
  }

  /** For the shared `settleOldest` below. */
  settleOldest(): void {
    this.#waiting.shift()?.resolve(undefined);
  }

  onEnd(end: CallEnd): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length > 0) {
      const failure = rejectLater(endedEarly(end));
      for (const { promise, resolve } of waiting) {
        handled(promise);
        resolve(failure);
      }
    }
    this.onClosed?.();
  }
}

/** A shared function, so that a write costs no closure for it. */
function settleOldest(writer: RequestWriter): void {
  writer.settleOldest();
}

function newWrite(): Write {
  let resolve!: Write["resolve"];
  const promise = new Promise<void>((settle) => {
    resolve = settle as Write["resolve"];
  });
  return { promise, resolve };
}

/** Whoever reads the call hears of its failure too, so a write that nobody awaited must not end the process. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** A server may end a call well without having read all of it: what it did not take was not sent. */
function endedEarly(end: CallEnd): CallEnd {
  if (end.fault !== null || end.status.code !== Status.OK) return end;
  const details = "The server ended the call with OK before it took this message";
  return { ...end, fault: { code: Status.CANCELLED, details, reason: "REMOTE" } };
}

function writtenAfterEnd(): ResilienceError {
  return new ResilienceError({
    reason: "CLIENT_CLOSED",
    code: Status.CANCELLED,
    details: "write() after end(): the request stream is closed",
    metadata: new Metadata(),
  });
}
