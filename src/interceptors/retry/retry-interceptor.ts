import type { Interceptor } from "@grpc/grpc-js";
import { settingsOf } from "../../call/index.js";
import { parseOptions, type Random } from "../../core/index.js";
import { Backoff, overrideRetry, type RetryPolicy, type RetryRules } from "../../retry/index.js";
import { absoluteDeadline } from "../plain/absolute-deadline.js";
import { asInterceptingCall } from "../plain/call-types.js";
import { withDefaults } from "../plain/collaborators.js";
import { MethodCache, ofMethod, traitsOf } from "./method-levels.js";
import { makeEnv, type RepeatCollaborators } from "./repeat-env.js";
import { type RetryInterceptorOptions, retryInterceptorOptionsSchema } from "./repeat-options.js";
import { RetriedInterceptedCall } from "./retried-intercepted-call.js";
import { markRepeated, repeatedAbove } from "./stacking.js";

/**
 * Repeats calls that failed without a response, by the rules of a channel: gRFC A6 with its backoff, pushback and
 * throttle, never a call that may have run unless it is declared idempotent. Make one for each client.
 *
 * @throws ResilienceError `CONFIG_INVALID` naming each bad key
 */
export function retryInterceptor(
  options: RetryInterceptorOptions = {},
  collaborators: RepeatCollaborators = {},
): Interceptor {
  const resolved = parseOptions(retryInterceptorOptionsSchema, options, "retryInterceptor");
  const env = makeEnv("retryInterceptor", resolved.throttle, collaborators);
  const { random } = withDefaults(collaborators);
  const known = new MethodCache((call) => {
    const rules = overrideRetry(resolved, ofMethod(resolved.methods, call.method_definition.path, "retry"));
    return { traits: traitsOf(resolved, call), rules, policy: policyOf(rules, random) };
  });
  return (call, nextCall) => {
    const above = repeatedAbove(call);
    if (above !== undefined) {
      // Reads hedged and writes retried is a pair that makes sense; every other one is a mistake.
      if (above === "retry") env.guard.warn("a retry interceptor above repeats it");
      return asInterceptingCall(nextCall(call));
    }
    if (env.guard.isRepeatedBelow(call.method_definition.path)) return asInterceptingCall(nextCall(call));
    const { traits, rules, policy } = known.of(call);
    const { retry } = settingsOf(call.deadline ?? Number.POSITIVE_INFINITY);
    const own = retry === undefined ? policy : policyOf(overrideRetry(rules, retry), random);
    const marked = markRepeated(absoluteDeadline(call, env.clock), "retry");
    return asInterceptingCall(new RetriedInterceptedCall(env, marked, nextCall, traits, own));
  };
}

function policyOf({ maxAttempts, retryableCodes, backoff }: RetryRules, random: Random): RetryPolicy {
  return { maxAttempts, retryableCodes, backoff: new Backoff(backoff, random) };
}
