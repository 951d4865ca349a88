import type { StatusObject } from "@grpc/grpc-js";
import { AttemptTrail } from "../../call/index.js";
import { type Clock, type Outcome, type ReportedStatus, reportedStatus } from "../../core/index.js";
import type { InterceptedAttempt } from "./intercepted-attempt.js";

/** What a call has been through, for the report on its last status; the same as a channel's. */
export class CallStory {
  readonly #trail = new AttemptTrail();
  readonly #startedAt: number;
  /** Only the throttle stood in the way of a further attempt. */
  isThrottled = false;

  constructor(
    private readonly clock: Clock,
    /** Full path, `/package.Service/Method`. */
    private readonly method: string,
  ) {
    this.#startedAt = clock.now();
  }

  get elapsedMs(): number {
    return this.clock.now() - this.#startedAt;
  }

  /** @param next why the next attempt is made, or is not */
  record(attempt: InterceptedAttempt, outcome: Outcome, next: string): void {
    const { code, reason, origin, processed, details } = outcome;
    this.#trail.add({
      attempt: attempt.number,
      endpoint: attempt.endpoint,
      startedMs: Math.max(0, Math.round(attempt.facts.startedAt - this.#startedAt)),
      ms: Math.round(this.clock.now() - attempt.facts.startedAt),
      code,
      reason,
      origin,
      processed,
      details,
      next,
    });
  }

  /** The last status: a server's own stays untouched, a local one says what happened. */
  report(outcome: Outcome, status: StatusObject | null): ReportedStatus {
    const trail = this.#trail;
    const { code, metadata, origin } = outcome;
    const explanation = trail.explain(this.method.replace(/^\//, ""), outcome, this.elapsedMs);
    const details = origin === "remote" ? outcome.details : explanation;
    const reason = trail.reason(outcome, this.isThrottled);
    const processed = trail.processed(outcome.processed);
    const report = { reason, origin, processed, attempts: trail.records, explanation };
    // What else an interceptor below has put on its status, such as `retryAt`, is the caller's too.
    return reportedStatus({ ...status, code, details, metadata }, report);
  }

  /** The status of a call that ended well, with what went wrong before. */
  recovered(status: StatusObject): StatusObject {
    const attempts = this.#trail.records;
    return attempts.length === 0 ? status : { ...status, ...{ attempts } };
  }
}
