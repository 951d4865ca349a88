import { type CallOptions, propagate, status as Status } from "@grpc/grpc-js";
import { systemClock } from "../../core/index.js";
import { deadlineOf, followParent, propagates } from "../plain/wait-limits.js";
import type { Fault } from "./open-call.js";

const PARENT_CANCELLED = {
  code: Status.CANCELLED,
  details: "Cancelled by parent call",
  reason: "CANCELLED",
} as const;

/** Why a call must not begin: on a warm connection a channel of grpc-js's own would send it all the same (R51). */
export function obstacle(options: CallOptions): Fault | null {
  if (options.parent?.cancelled === true && propagates(options, propagate.CANCELLATION))
    return PARENT_CANCELLED;
  const leftMs = deadlineOf(options) - systemClock.epoch();
  if (leftMs > 0) return null;
  const details = `The deadline passed ${Math.round(-leftMs)} ms before the call began`;
  return { code: Status.DEADLINE_EXCEEDED, details, reason: "DEADLINE_EXCEEDED" };
}

/** Ends a call with its parent. @returns what takes the listener off the parent; null where nobody needs to listen */
export function followedParent(options: CallOptions, end: (fault: Fault) => void): (() => void) | null {
  if (options.parent === undefined || !propagates(options, propagate.CANCELLATION)) return null;
  return followParent(options.parent, () => end(PARENT_CANCELLED));
}

/**
 * The options without the parent's cancel, which `followedParent` sees to: grpc-js never takes its listener off, so a
 * parent that makes many calls would gather one for each.
 */
export function withoutParentCancel(options: CallOptions): CallOptions {
  if (options.parent === undefined) return options;
  const flags = options.propagate_flags ?? propagate.DEFAULTS;
  return { ...options, propagate_flags: flags & ~propagate.CANCELLATION };
}
