import { Metadata, status as Status } from "@grpc/grpc-js";
import { classify } from "../../call/index.js";
import { ResilienceError, type ResilienceErrorInit } from "../../core/index.js";
import type { Fault, ToldStatus } from "./open-call.js";

/** All that is known of the end of a call. */
export interface CallEnd {
  readonly status: ToldStatus;
  readonly fault: Fault | null;
  readonly hasHeaders: boolean;
  readonly hasMessage: boolean;
}

/** What grpc-js's `Client` finds wrong with an answer that arrived, or with its absence from a call that ended well. */
const ANSWER_FAULTS = /^(Response message parsing error: |No message received$|Too many responses received$)/;

/**
 * Rejects with the error of a call that failed. The error is made here and now, not when the call began, which would
 * cost each call more than all else; two turns late, because by then V8 finds whoever awaits the promise that follows
 * this one, and names them in the stack.
 */
export async function rejectLater(end: CallEnd): Promise<never> {
  await null;
  await null;
  throw errorOf(end);
}

export function errorOf(end: CallEnd): ResilienceError {
  const init = initOf(end);
  const error = new ResilienceError(init);
  const { explanation } = end.status;
  // For a server's own words the report has a sentence beside them.
  if (explanation !== undefined && end.fault === null && explanation !== init.details) {
    Object.defineProperty(error, "explanation", { value: explanation });
  }
  return error;
}

function initOf({ status, fault, ...seen }: CallEnd): ResilienceErrorInit {
  const told = status.reason === undefined ? classified(status, seen) : status;
  const { reason = "REMOTE", origin = "remote", processed = "maybe", code, details, metadata } = told;
  const wasRun = status.code === Status.OK || seen.hasMessage;
  return {
    reason: fault?.reason ?? reason,
    code: fault?.code ?? code,
    details: fault?.details ?? details,
    metadata: metadata ?? new Metadata(),
    origin: fault === null ? origin : "local",
    processed: wasRun ? "yes" : processed,
    attempts: status.attempts ?? [],
    command: status.command,
    cause: fault?.cause,
  };
}

/** Of a status without our report its code and its words are all there is to go by. */
function classified(
  status: ToldStatus,
  { hasHeaders, hasMessage }: Pick<CallEnd, "hasHeaders" | "hasMessage">,
): Partial<ResilienceErrorInit> & ToldStatus {
  if (status.code === Status.OK) return status;
  if (ANSWER_FAULTS.test(status.details)) {
    return { ...status, reason: "REMOTE", origin: "local", processed: "yes" };
  }
  return classify(status, {
    hasHeaders,
    hasMessage,
    isStreamOpened: null,
    isConnectionLost: false,
    isAttemptLimited: false,
    isPooled: false,
    isDeadlineDue: status.code === Status.DEADLINE_EXCEEDED,
  });
}
