import type { Outcome, ReportedStatus } from "../core/index.js";
import { reportedStatus } from "../core/index.js";
import type { Candidate, PickFilter } from "../pool/index.js";
import type { Attempt } from "./attempt.js";
import { AttemptTrail } from "./attempt-trail.js";
import type { CallEnv } from "./call-env.js";
import type { CallLimits } from "./call-limits.js";
import { TriedEndpoints } from "./tried-endpoints.js";

/** The call whose history it is. */
export interface HistoryOwner {
  readonly env: CallEnv;
  readonly path: string;
  readonly limits: CallLimits;
}

/** What a call has been through; made at its first failure, so that a call that succeeds at once costs none of it. */
export class AttemptHistory {
  readonly #trail = new AttemptTrail();
  #tried: TriedEndpoints | null = null;
  /** Only the throttle stood in the way of a further attempt. */
  isThrottled = false;
  /** Transparent retries, which do not count against `maxAttempts`. */
  transparent = 0;
  /** An attempt was repeated with fresh credentials. */
  hasFreshCredentials = false;

  constructor(private readonly owner: HistoryOwner) {}

  get trail(): AttemptTrail {
    return this.#trail;
  }

  /** Endpoints this call has used: its next attempt avoids them while another one is usable. */
  get tried(): PickFilter<Candidate> | null {
    return this.#tried;
  }

  avoid(address: string): void {
    this.#tried ??= new TriedEndpoints();
    this.#tried.add(address);
  }

  /** @param attempt null where no endpoint could be picked */
  record(attempt: Attempt | null, number: number, outcome: Outcome, next: string): void {
    const { elapsedMs, now } = this.owner.limits;
    const ms = attempt === null ? 0 : now - attempt.startedAt;
    this.#trail.add({
      attempt: number,
      endpoint: attempt?.slot.address ?? null,
      startedMs: Math.max(0, Math.round(elapsedMs - ms)),
      ms: Math.round(ms),
      code: outcome.code,
      reason: outcome.reason,
      origin: outcome.origin,
      processed: outcome.processed,
      details: outcome.details,
      next,
    });
  }

  /** The final status: a server's own stays untouched, a local one says what happened. */
  report(outcome: Outcome, attempts: number): ReportedStatus {
    const { path, env, limits } = this.owner;
    const trail = this.#trail;
    const explanation = trail.explain(path.replace(/^\//, ""), outcome, limits.elapsedMs);
    const reason = trail.reason(outcome, this.isThrottled);
    const processed = trail.processed(outcome.processed);
    const { code, metadata, origin } = outcome;
    const details = origin === "remote" ? outcome.details : explanation;
    env.events.emit({ type: "call.failed", method: path, attempts, code, reason, explanation });
    const { retryAt } = outcome;
    const more = retryAt === undefined || reason !== "CIRCUIT_OPEN" ? {} : { retryAt };
    const report = { reason, origin, processed, attempts: trail.records, explanation, ...more };
    return reportedStatus({ code, details, metadata }, report);
  }
}
