import type { AttemptRecord } from "../core/index.js";
import { FAILURE_MEANINGS, type FailureMeaning } from "./local-failure.js";
import type { FailureKind, LinkFailure } from "./unary-link.js";

/** The failure of a call that set out for `endpoint`; with the one attempt it is. */
export function sentFailure(
  kind: FailureKind,
  endpoint: string,
  details: string,
  ms: number,
  said: Partial<FailureMeaning> = {},
): LinkFailure {
  const meaning = { ...FAILURE_MEANINGS[kind], ...said };
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
