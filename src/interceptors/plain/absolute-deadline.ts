import type { InterceptorOptions } from "@grpc/grpc-js";
import { SettingsDeadline } from "../../call/index.js";
import { type Clock, deadlineToEpochMs, type GrpcDeadline } from "../../core/index.js";

/**
 * Call options whose deadline is an instant: a `timeoutMs` of `callOptions` counts from the moment the call is made,
 * not from the end of a wait in an interceptor. Other settings of the call stay with it.
 */
export function absoluteDeadline(options: InterceptorOptions, clock: Clock): InterceptorOptions {
  const { deadline } = options;
  if (!(deadline instanceof SettingsDeadline) || typeof deadline.settings.timeoutMs !== "number")
    return options;
  return { ...options, deadline: earlierDeadline(deadline, Number.POSITIVE_INFINITY, clock) };
}

/** The earlier of a call's deadline and `limit` (epoch ms), with the settings that travel on the deadline. */
export function earlierDeadline(given: GrpcDeadline, limit: number, clock: Clock): GrpcDeadline {
  if (!(given instanceof SettingsDeadline)) return deadlineToEpochMs(given) <= limit ? given : limit;
  const { timeoutMs, ...rest } = given.settings;
  // The call's own word for "no limit at all".
  if (timeoutMs === null) return given;
  const own =
    timeoutMs === undefined ? (rest.deadline ?? Number.POSITIVE_INFINITY) : clock.epoch() + timeoutMs;
  const epochMs = Math.min(Number(own), limit);
  return epochMs === Number.POSITIVE_INFINITY
    ? given
    : new SettingsDeadline(epochMs, { ...rest, deadline: epochMs });
}
