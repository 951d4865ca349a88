import { SettingsDeadline } from "../../call/index.js";
import type { GrpcDeadline } from "../../core/index.js";

/** The deadline of one attempt, with the settings that travel on the call's. */
export function limitedDeadline(given: GrpcDeadline | undefined, epochMs: number): GrpcDeadline {
  if (!(given instanceof SettingsDeadline)) return epochMs;
  return new SettingsDeadline(epochMs, { ...given.settings, timeoutMs: undefined, deadline: epochMs });
}
