import type { Interceptor } from "@grpc/grpc-js";
import { settingsOf } from "../../call/index.js";
import { parseOptions } from "../../core/index.js";
import { LatencyWindow } from "../../retry/index.js";
import { absoluteDeadline } from "../plain/absolute-deadline.js";
import { asInterceptingCall } from "../plain/call-types.js";
import { HedgedInterceptedCall } from "./hedged-intercepted-call.js";
import { MethodCache, ofMethod, traitsOf } from "./method-levels.js";
import { makeEnv, type RepeatCollaborators } from "./repeat-env.js";
import { type HedgingInterceptorOptions, hedgingInterceptorOptionsSchema } from "./repeat-options.js";
import { markRepeated, repeatedAbove, withoutRepeatsBelow } from "./stacking.js";

/**
 * Starts further attempts of a slow call before the first has failed, by the rules of a channel (gRFC A6, hedging). Of
 * methods that are not declared idempotent it lets every call pass as it is. Make one for each client.
 *
 * @throws ResilienceError `CONFIG_INVALID` naming each bad key
 */
export function hedgingInterceptor(
  options: HedgingInterceptorOptions = {},
  collaborators: RepeatCollaborators = {},
): Interceptor {
  const resolved = parseOptions(hedgingInterceptorOptionsSchema, options, "hedgingInterceptor");
  const env = makeEnv("hedgingInterceptor", resolved.throttle, collaborators);
  const { maxAttempts, delayMs, initialDelayMs, nonFatalCodes, maxAttemptsLimit } = resolved;
  const general = { maxAttempts, delayMs, initialDelayMs, nonFatalCodes };
  const known = new MethodCache((call) => ({
    traits: traitsOf(resolved, call),
    hedging: ofMethod(resolved.methods, call.method_definition.path, "hedging") ?? general,
    latency: new LatencyWindow(),
  }));
  return (call, nextCall) => {
    const above = repeatedAbove(call);
    if (above !== undefined) env.guard.warn(`a ${above} interceptor above repeats it`);
    const isBelow = env.guard.isRepeatedBelow(call.method_definition.path);
    const { traits, hedging: ofItsMethod, latency } = known.of(call);
    const settings = settingsOf(call.deadline ?? Number.POSITIVE_INFINITY);
    const hedging = settings.hedging ?? ofItsMethod;
    // All attempts may run (R40). Metadata that marks a call idempotent comes too late to be asked here.
    const isSafe = settings.idempotent ?? traits.isIdempotent;
    if (above !== undefined || isBelow || hedging === false || !isSafe) {
      return asInterceptingCall(nextCall(call));
    }
    const limited = { ...hedging, maxAttempts: Math.min(hedging.maxAttempts, maxAttemptsLimit) };
    const once = withoutRepeatsBelow(absoluteDeadline(call, env.clock));
    const marked = markRepeated(once, "hedging");
    const policy = { options: limited, latency };
    return asInterceptingCall(new HedgedInterceptedCall(env, marked, nextCall, traits, policy));
  };
}
