import { guardCallCredentials } from "../pool/index.js";
import type { Backend } from "./backend.js";
import type { CallEnv } from "./call-env.js";
import type { ResolvedChannelOptions } from "./channel-options.js";
import { StartQueue } from "./start-queue.js";
import { TurnClock } from "./turn-clock.js";

type Given = Pick<CallEnv, "clock" | "events" | "policies" | "known" | "throttle" | "budget" | "failures">;
type Hooks = Pick<CallEnv, "noteThrottled" | "callStarted" | "callEnded">;

/** What all calls of a channel share, as they find it at first. */
export function channelEnv(
  {
    clock,
    events,
    policies,
    known,
    throttle,
    budget,
    failures,
    options,
  }: Given & { options: ResolvedChannelOptions },
  backend: Backend,
  hooks: Hooks,
): CallEnv {
  const { maxMetadataBytes, callCredentials } = options;
  return {
    target: backend.target,
    clock,
    time: new TurnClock(clock),
    starts: new StartQueue(),
    events,
    transportFor: (compression, isStream) => backend.transportFor(compression, isStream),
    policies,
    known,
    throttle,
    budget,
    maxMetadataBytes,
    callCredentials: callCredentials === undefined ? null : guardCallCredentials(callCredentials),
    counters: {
      started: 0,
      succeeded: 0,
      failed: 0,
      attempts: 0,
      retries: 0,
      transparentRetries: 0,
      hedges: 0,
    },
    failures,
    closedDetails: null,
    ...hooks,
  };
}
