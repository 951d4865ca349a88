import { Metadata, status } from "@grpc/grpc-js";
import type { Outcome } from "../../src/core/index.js";
import { Backoff } from "../../src/retry/backoff.js";
import {
  decideRetry,
  type RetryDecision,
  type RetryPolicy,
  type RetryProgress,
} from "../../src/retry/decide.js";
import { backoffOptionsSchema } from "../../src/retry/retry-options.js";
import { RetryThrottle } from "../../src/retry/throttle.js";
import { fixedRandom } from "../support/seeded-random.js";
import { outcome } from "./outcomes.js";

function policy(changes: Partial<RetryPolicy> = {}): RetryPolicy {
  const backoff = new Backoff(backoffOptionsSchema.parse({ jitter: "none" }), fixedRandom(0.5));
  return { maxAttempts: 3, retryableCodes: [status.UNAVAILABLE], backoff, ...changes };
}

/** The first attempt of an idempotent call, nothing received yet. */
function progress(changes: Partial<RetryProgress> = {}): RetryProgress {
  return {
    countedAttempts: 1,
    retriesSincePushback: 0,
    transparentRetries: { refused: 0 },
    isIdempotent: true,
    isCommitted: false,
    isReplayable: true,
    ...changes,
  };
}

/** What differs from the first attempt of an idempotent call that ended UNAVAILABLE. */
export interface Situation {
  policy?: Partial<RetryPolicy>;
  progress?: Partial<RetryProgress>;
  outcome?: Partial<Outcome>;
  /** Value of grpc-retry-pushback-ms. */
  pushback?: string;
  throttle?: RetryThrottle | null;
  incident?: object | null;
}

/** What `decideRetry` answers; without a throttle unless the situation has one. */
export function decide(situation: Situation = {}): RetryDecision {
  const metadata = new Metadata();
  if (situation.pushback !== undefined) metadata.set("grpc-retry-pushback-ms", situation.pushback);
  return decideRetry(
    policy(situation.policy),
    progress(situation.progress),
    outcome({ metadata, ...situation.outcome }),
    situation.throttle ?? null,
    situation.incident ?? null,
  );
}

/** A full bucket that gets 0.1 back per success. */
export function throttle(maxTokens = 20): RetryThrottle {
  return new RetryThrottle({ maxTokens, tokenRatio: 0.1 });
}
