import { status as Status } from "@grpc/grpc-js";
import { problemsError, saidBy } from "../../core/index.js";
import { Quietly } from "../plain/quietly.js";
import { describe } from "../stub-shape.js";
import type { Fault } from "./open-call.js";
import type { Requests } from "./promise-types.js";
import type { RequestWriter, WrittenCall } from "./request-writer.js";

const quietly = new Quietly("an iterable of requests failed as it was closed, which changes nothing");

type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>;

/**
 * Sends what the iterable gives, each message when the one before it is taken, and half-closes after the last. A
 * failure of the iterable cancels the call; the end of the call closes the iterable, which may be waiting for ever.
 */
export async function sendAll(
  requests: Requests<unknown>,
  call: WrittenCall & { fail(fault: Fault): void },
  writer: RequestWriter,
): Promise<void> {
  // Aborted already: nothing is asked of the iterable.
  if (call.fault !== null) return;
  try {
    const iterator = iteratorOf(requests);
    // Lets it clean up. Nobody waits for that: the call is over.
    writer.onClosed = () => quietly.run(() => iterator.return?.());
    let step = await iterator.next();
    while (step.done !== true && call.ended === null) {
      await writer.write(step.value);
      step = await iterator.next();
    }
    writer.onClosed = null;
    writer.end();
  } catch (cause) {
    // A write that failed tells of the end of the call, which whoever made it hears anyway.
    if (call.ended !== null) return;
    writer.onClosed = null;
    const details = `The iterable of the requests failed: ${saidBy(cause)}`;
    call.fail({ code: Status.CANCELLED, details, reason: "CANCELLED", cause });
  }
}

export function isIterable(value: unknown): value is Requests<unknown> {
  if (typeof value !== "object" || value === null) return false;
  return Symbol.asyncIterator in value || Symbol.iterator in value;
}

/** @throws ResilienceError `CONFIG_INVALID` when there is nothing to iterate over */
export function checkIterable(value: unknown): void {
  if (isIterable(value)) return;
  const given = describe(value);
  throw problemsError("promises", [`the requests are ${given}; allowed: an iterable or async iterable`]);
}

function iteratorOf(requests: Requests<unknown>): AnyIterator {
  return Symbol.asyncIterator in requests ? requests[Symbol.asyncIterator]() : requests[Symbol.iterator]();
}
