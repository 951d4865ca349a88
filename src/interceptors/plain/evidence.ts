import type { InterceptorOptions } from "@grpc/grpc-js";
import type { Evidence } from "../../call/index.js";
import type { Clock } from "../../core/index.js";
import { deadlineOf } from "./wait-limits.js";

/** Timers fire up to this much early or late, so a status that close to the deadline may be of it, in ms. */
const TIMER_SLACK_MS = 2;

/** What is known, as its status arrives, of a call on a channel that is not ours. */
export function plainEvidence(
  options: InterceptorOptions,
  clock: Clock,
  hasHeaders: boolean,
  hasMessage: boolean,
): Evidence {
  return {
    hasHeaders,
    hasMessage,
    // Such a channel may have repeated the call by itself, so that its peer proves nothing.
    isStreamOpened: hasHeaders || hasMessage ? true : null,
    isConnectionLost: false,
    isAttemptLimited: false,
    isPooled: false,
    isDeadlineDue: clock.epoch() >= deadlineOf(options) - TIMER_SLACK_MS,
  };
}
