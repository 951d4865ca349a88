import { status as Status } from "@grpc/grpc-js";
import {
  type AttemptRecord,
  type CommandIds,
  ResilienceError,
  type ResilienceErrorInit,
} from "../../core/index.js";
import type { KvOperation } from "../kv-messages.js";
import type { LinkFailure } from "../unary-link.js";
import type { AttemptLog } from "./attempt-log.js";

/** Why an operation ended without its answer. */
export type Ending =
  /** Its time was over while it waited for a session (`queued`), for a leader (`looking`), or was being sent. */
  | { readonly kind: "late"; readonly wait: "queued" | "looking" | "pausing" | "sent" | "over" }
  | { readonly kind: "aborted"; readonly cause: unknown }
  | { readonly kind: "closed" }
  | { readonly kind: "overloaded" }
  /** `wasOpen`: what was sent before may have been executed, whatever the refusal says of itself. */
  | ({ readonly kind: "refused"; readonly wasOpen: boolean } & Pick<
      AttemptRecord,
      "code" | "reason" | "origin" | "processed" | "details"
    >);

/** What is known of the operation. */
export interface OperationFacts {
  readonly op: KvOperation | "leader";
  /** Null as long as a write has no session. */
  readonly ids: CommandIds | null;
  readonly log: AttemptLog;
  readonly elapsedMs: number;
  readonly servers: number;
  /** Why the servers are not known, where they are not. */
  readonly discoveryError: string | null;
  /** What the servers said when the leader was last looked for; null when it was not. */
  readonly lastRound: string | null;
}

/** The error of an operation that got no answer. A write that may have been applied is `OUTCOME_UNKNOWN`, with its ids. */
export function operationError(ending: Ending, facts: OperationFacts): ResilienceError {
  const { op, ids, log } = facts;
  const isOpen = ids !== null && op !== "get" && log.processed !== "no";
  const why = describe(ending, facts);
  const last =
    log.last === undefined ? "" : `; the last attempt, on ${log.last.endpoint}: ${log.last.details}`;
  const init = {
    code: why.code,
    origin: ending.kind === "refused" ? ending.origin : "local",
    attempts: log.records,
    ...(ending.kind === "aborted" ? { cause: ending.cause } : {}),
    ...(op !== "get" && ids !== null ? { command: ids } : {}),
  } satisfies Partial<ResilienceErrorInit>;
  if (isOpen && (ending.kind !== "refused" || ending.wasOpen)) {
    const details = `${op}: ${why.text}${last}; the write may have been applied, at most once (client id ${ids?.clientId}, command id ${ids?.commandId})`;
    return new ResilienceError({ ...init, reason: "OUTCOME_UNKNOWN", processed: "maybe", details });
  }
  const processed = processedBy(ending, log);
  return new ResilienceError({
    ...init,
    reason: why.reason,
    processed,
    details: `${op}: ${why.text}${last}`,
  });
}

/** The servers refused a question for their status: what waits for the leader has not been sent for it. */
export function refusal({ kind, code, reason, details }: LinkFailure): Ending {
  const origin = kind === "rejected" ? "remote" : "local";
  return { kind: "refused", code, reason, origin, processed: "no", details, wasOpen: true };
}

/** For what is asked of a Clerk after its end. */
export function clerkClosed(op: string): ResilienceError {
  const details = `${op}: the Clerk is closed`;
  return new ResilienceError({ reason: "CLIENT_CLOSED", code: Status.CANCELLED, details });
}

/** A read changes nothing, but its attempts may have been executed all the same. */
function processedBy(ending: Ending, log: AttemptLog): "no" | "maybe" | "yes" {
  return ending.kind === "refused" && log.processed === "no" ? ending.processed : log.processed;
}

function describe(
  ending: Ending,
  { log, elapsedMs, servers, discoveryError, lastRound }: OperationFacts,
): Pick<ResilienceErrorInit, "reason" | "code"> & { readonly text: string } {
  const after = `after ${Math.round(elapsedMs)} ms and ${log.made} ${log.made === 1 ? "attempt" : "attempts"}`;
  switch (ending.kind) {
    case "refused": {
      // An attempt of its own is told of as the last one.
      const why = log.last?.details === ending.details ? "" : `: ${ending.details}`;
      return { reason: ending.reason, code: failureCode(ending.code), text: `refused ${after}${why}` };
    }
    case "aborted":
      return { reason: "CANCELLED", code: Status.CANCELLED, text: `aborted by the caller ${after}` };
    case "closed":
      return { reason: "CLIENT_CLOSED", code: Status.CANCELLED, text: `the Clerk is closed, ${after}` };
    case "overloaded":
      return {
        reason: "OVERLOADED",
        code: Status.RESOURCE_EXHAUSTED,
        text: "every session is busy and no more operations may wait (maxQueuedOperations)",
      };
    case "late": {
      const code = Status.DEADLINE_EXCEEDED;
      if (ending.wait === "queued")
        return { reason: "DEADLINE_EXCEEDED", code, text: `no session was free ${after}` };
      if (servers === 0) {
        const why = discoveryError === null ? "" : ` (${discoveryError})`;
        return { reason: "DISCOVERY_FAILED", code, text: `no server is known ${after}${why}` };
      }
      if (ending.wait === "looking") {
        const said = lastRound === null ? "" : ` (${lastRound})`;
        const text =
          log.made === 0
            ? `none of ${servers} servers was found to lead ${after}${said}`
            : `no leader gave an answer ${after}${said}`;
        return { reason: "NOT_LEADER", code, text };
      }
      return { reason: "DEADLINE_EXCEEDED", code, text: `no answer ${after}` };
    }
  }
}

/** An OK answer whose text says failure is no status to hand on. */
function failureCode(code: Status): Status {
  return code === Status.OK ? Status.INTERNAL : code;
}
