import type { Clock } from "../../core/index.js";
import { type ResolvedThrottleOptions, RetryThrottle } from "../../retry/index.js";
import { type ChanceCollaborators, withDefaults } from "../plain/collaborators.js";
import { Losses } from "./losses.js";
import { RepeatLog, type RetryLogger } from "./repeat-log.js";
import { StackGuard } from "./stacking.js";

/** Where an interceptor that repeats calls gets time and chance from, and what it shares or tells. */
export interface RepeatCollaborators extends ChanceCollaborators {
  /** Retry throttle to share with other interceptors of the same target; instead of one by the options. */
  readonly throttle?: RetryThrottle;
  /** Told of every further attempt, of what it led to, and of giving up. */
  readonly log?: RetryLogger;
}

/** What all calls through one interceptor share. */
export interface RepeatEnv {
  readonly clock: Clock;
  /** Null when throttling is off. */
  readonly throttle: RetryThrottle | null;
  readonly log: RepeatLog;
  readonly losses: Losses;
  readonly guard: StackGuard;
}

/** What the options say of one method, beside when to repeat. */
export interface MethodTraits {
  readonly isIdempotent: boolean;
  /** Undefined for the default rule. */
  readonly attemptTimeoutMs: number | null | undefined;
  readonly maxBufferedMessages: number;
}

/** @param throttle its options; false for none */
export function makeEnv(
  name: string,
  throttle: false | ResolvedThrottleOptions,
  collaborators: RepeatCollaborators,
): RepeatEnv {
  return {
    clock: withDefaults(collaborators).clock,
    throttle: collaborators.throttle ?? (throttle === false ? null : new RetryThrottle(throttle)),
    log: new RepeatLog(collaborators.log),
    losses: new Losses(),
    guard: new StackGuard(name),
  };
}
