import { status as Status } from "@grpc/grpc-js";
import type { AttemptRecord, Processed, Reason } from "../core/index.js";
import type { FailureKind, LinkFailure } from "./unary-link.js";

/** What a failure's kind says of the rest. */
interface Meaning {
  readonly code: Status;
  readonly reason: Reason;
  readonly processed: Processed;
}

/**
 * As a client on a real network could know it, never as the network knows it: a call without an answer may have run.
 * The codes of `rejected` and `closed` depend on who said so.
 */
const MEANINGS: Readonly<Record<FailureKind, Meaning>> = {
  timeout: { code: Status.DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED", processed: "maybe" },
  unreachable: { code: Status.UNAVAILABLE, reason: "DIAL_FAILED", processed: "no" },
  rejected: { code: Status.INTERNAL, reason: "REMOTE", processed: "maybe" },
  invalid: { code: Status.INTERNAL, reason: "REMOTE", processed: "no" },
  malformed: { code: Status.INTERNAL, reason: "REMOTE", processed: "yes" },
  "too-large": { code: Status.RESOURCE_EXHAUSTED, reason: "MESSAGE_TOO_LARGE", processed: "no" },
  closed: { code: Status.CANCELLED, reason: "CLIENT_CLOSED", processed: "maybe" },
};

/** A failure before anything was sent. */
export function unsentFailure(kind: FailureKind, details: string, said: Partial<Meaning> = {}): LinkFailure {
  return { ok: false, kind, ...MEANINGS[kind], ...said, processed: "no", details, ms: 0, attempts: [] };
}

/** The failure of a call that set out for `endpoint`; with the one attempt it is. */
export function sentFailure(
  kind: FailureKind,
  endpoint: string,
  details: string,
  ms: number,
  said: Partial<Meaning> = {},
): LinkFailure {
  const meaning = { ...MEANINGS[kind], ...said };
  const attempt: AttemptRecord = {
    ...meaning,
    attempt: 1,
    endpoint,
    startedMs: 0,
    ms,
    origin: kind === "rejected" ? "remote" : "local",
    details,
    next: "a link makes one attempt",
  };
  return { ok: false, kind, ...meaning, details, ms, attempts: [attempt] };
}
