import type { InterceptorOptions } from "@grpc/grpc-js";
import { SettingsDeadline } from "../../call/index.js";
import type { GrpcDeadline } from "../../core/index.js";

/** Longest default limit of one attempt, in ms. */
const MAX_DEFAULT_MS = 5_000;

/**
 * Limit of one attempt in ms (R54): as configured, else a share of the call's time for idempotent unary calls. Unlike
 * on a channel of ours, which always has a deadline for these, a call without one has no default limit.
 */
export function attemptLimitMs(
  configuredMs: number | null | undefined,
  { method_definition: { requestStream, responseStream } }: InterceptorOptions,
  isIdempotent: boolean,
  maxAttempts: number,
  callTimeMs: number,
): number {
  if (responseStream || configuredMs === null) return Number.POSITIVE_INFINITY;
  if (configuredMs !== undefined) return configuredMs;
  if (requestStream || !isIdempotent || maxAttempts <= 1) return Number.POSITIVE_INFINITY;
  if (callTimeMs === Number.POSITIVE_INFINITY) return callTimeMs;
  return Math.min(callTimeMs / maxAttempts, MAX_DEFAULT_MS);
}

/** The deadline of one attempt, with the settings that travel on the call's. */
export function limitedDeadline(given: GrpcDeadline | undefined, epochMs: number): GrpcDeadline {
  if (!(given instanceof SettingsDeadline)) return epochMs;
  return new SettingsDeadline(epochMs, { ...given.settings, timeoutMs: undefined, deadline: epochMs });
}
