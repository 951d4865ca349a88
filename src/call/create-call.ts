import { status as Status } from "@grpc/grpc-js";
import type { CallEnv } from "./call-env.js";
import { CallLimits, type ParentCall } from "./call-limits.js";
import { settingsOf } from "./call-settings.js";
import { HedgedCall } from "./hedged-call.js";
import type { ResilientCall } from "./resilient-call.js";
import { RetriedCall } from "./retried-call.js";

/** Makes a call as its method's policy and its own settings want it: hedged where that is asked for and safe, else retried. */
export function createCall(
  env: CallEnv,
  method: string,
  deadline: Date | number,
  host: string | null | undefined,
  parent: ParentCall | null,
  propagateFlags: number | null | undefined,
): ResilientCall {
  const settings = settingsOf(deadline);
  const policy = env.policies.of(String(method));
  const limits = new CallLimits(env.time, settings, deadline, parent, propagateFlags);
  // A call that says how it is to be retried is not hedged by what its method says.
  const own = settings.hedging ?? (settings.retry === undefined ? undefined : false);
  const hedging = env.policies.hedgingOf(policy, own);
  // All attempts of a hedged call may run (R40). Metadata that marks a call idempotent comes too late to be asked here.
  const isHedged = hedging !== null && (settings.idempotent ?? policy.isIdempotent);
  const call = isHedged ? new HedgedCall(env, policy, limits, hedging) : new RetriedCall(env, policy, limits);
  if (host !== null && host !== undefined) call.host = host;
  // grpc-js throws; ours never does, because a generated stub never gives any other.
  if (typeof method !== "string")
    call.cancelWithStatus(Status.INTERNAL, `the method is ${method}; allowed: a string`);
  return call;
}
