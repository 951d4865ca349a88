import { status as Status } from "@grpc/grpc-js";
import type { AttemptRecord, Processed, Reason } from "../../core/index.js";
import type { KvOperation, KvReply } from "../kv-messages.js";
import type { LinkFailure, LinkResult } from "../unary-link.js";

type Facts = Pick<AttemptRecord, "code" | "reason" | "origin" | "processed" | "details">;

/** What an attempt's end means for its operation. */
export type Verdict =
  | { readonly kind: "done"; readonly value: string | undefined }
  /** Try again with the same ids. `isAnswer`: the server is there and leads, it just did not do this. */
  | { readonly kind: "retry"; readonly facts: Facts; readonly isAnswer: boolean }
  /** No further attempt can end otherwise. `blamesServer`: another server may well do what this one refuses. */
  | { readonly kind: "failed"; readonly facts: Facts; readonly blamesServer: boolean };

/** Statuses by which a server refuses the call as such: whom one asks, and how often, changes nothing. */
const FINAL_CODES: ReadonlySet<Status> = new Set([
  Status.INVALID_ARGUMENT,
  Status.NOT_FOUND,
  Status.ALREADY_EXISTS,
  Status.PERMISSION_DENIED,
  Status.FAILED_PRECONDITION,
  Status.OUT_OF_RANGE,
  Status.UNIMPLEMENTED,
  Status.DATA_LOSS,
  Status.UNAUTHENTICATED,
]);

/** Of these, the ones that tell of the server rather than of the request. */
const SERVER_CODES: ReadonlySet<Status> = new Set([
  Status.PERMISSION_DENIED,
  Status.FAILED_PRECONDITION,
  Status.UNIMPLEMENTED,
  Status.DATA_LOSS,
  Status.UNAUTHENTICATED,
]);

/** How gRPC libraries say that a message is over the receiver's limit, which RESOURCE_EXHAUSTED alone does not. */
const MESSAGE_LIMIT = /larger than max|message size exceeds/i;

/** Reads the outcome of one Command: eraft puts its errors as text into an OK answer. Unknown text is a failure. */
export function classifyReply(op: KvOperation, result: LinkResult<KvReply>): Verdict {
  if (!result.ok) return classifyFailure(result);
  const { err, value } = result.response;
  if (err === "OK") return { kind: "done", value: op === "get" ? value : undefined };
  if (err === "ErrNoKey" && op === "get") return { kind: "done", value: undefined };
  if (err === "ErrWrongLeader") return retry("NOT_LEADER", "no", "the server is not the leader", false);
  if (err === "ErrTimeout") {
    // The entry may still be committed, now or later.
    return retry("REMOTE", "maybe", "the server did not see the command applied in time (ErrTimeout)", true);
  }
  const details = `the server answered ${JSON.stringify(err.slice(0, 200))}; known are OK, ErrNoKey (to a get), ErrWrongLeader, ErrTimeout`;
  return { kind: "failed", blamesServer: true, facts: remote("REMOTE", "maybe", details) };
}

function classifyFailure(failure: LinkFailure): Verdict {
  const { code, reason, processed, details } = failure;
  const origin = failure.kind === "rejected" ? "remote" : "local";
  const facts: Facts = { code, reason, origin, processed, details };
  if (!isFinal(failure)) return { kind: "retry", facts, isAnswer: failure.kind === "rejected" };
  const isServersFault =
    failure.kind === "malformed" || (failure.kind === "rejected" && SERVER_CODES.has(code));
  return { kind: "failed", facts, blamesServer: isServersFault };
}

/** True when repeating the call, there or elsewhere, would fail the same way. */
export function isFinal({ kind, code, details }: LinkFailure): boolean {
  switch (kind) {
    case "invalid":
    case "malformed":
    case "too-large":
      return true;
    case "rejected":
      return FINAL_CODES.has(code) || (code === Status.RESOURCE_EXHAUSTED && MESSAGE_LIMIT.test(details));
    default:
      return false;
  }
}

function retry(reason: Reason, processed: Processed, details: string, isAnswer: boolean): Verdict {
  return { kind: "retry", isAnswer, facts: remote(reason, processed, details) };
}

function remote(reason: Reason, processed: Processed, details: string): Facts {
  return { code: Status.OK, reason, origin: "remote", processed, details };
}
