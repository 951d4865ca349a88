import { type Interceptor, type Metadata, status as Status, type StatusObject } from "@grpc/grpc-js";
import { classify } from "../../call/index.js";
import { parseOptions } from "../../core/index.js";
import { earlierDeadline } from "./absolute-deadline.js";
import { asInterceptingCall } from "./call-types.js";
import { type InterceptorCollaborators, withDefaults } from "./collaborators.js";
import { isReported, reported } from "./local-failure.js";
import { PlainCall } from "./plain-call.js";
import {
  type DeadlineOptions,
  deadlineOptionsSchema,
  entryFor,
  type ResolvedDeadlineOptions,
} from "./plain-options.js";
import { deadlineOf } from "./wait-limits.js";

/**
 * Gives calls a deadline, which grpc-js then enforces and sends to the server. It never lengthens the deadline of a
 * call, and keeps what `callOptions` put on it; `callOptions({ timeoutMs: null })` opts a call out.
 *
 * @throws ResilienceError `CONFIG_INVALID` naming each bad key
 */
export function deadlineInterceptor(
  options: DeadlineOptions = {},
  collaborators: InterceptorCollaborators = {},
): Interceptor {
  const resolved = parseOptions(deadlineOptionsSchema, options, "deadlineInterceptor");
  const { clock } = withDefaults(collaborators);
  return (call, nextCall) => {
    const timeoutMs = timeoutFor(resolved, call.method_definition);
    const limit = timeoutMs === null ? Number.POSITIVE_INFINITY : clock.epoch() + timeoutMs;
    const deadline = earlierDeadline(call.deadline ?? Number.POSITIVE_INFINITY, limit, clock);
    return asInterceptingCall(new DeadlineCall({ ...call, deadline }, nextCall, clock));
  };
}

/** A long stream has no deadline of its own, or a watch would die. */
function timeoutFor(
  { timeoutMs, methods }: ResolvedDeadlineOptions,
  { path, responseStream }: { readonly path: string; readonly responseStream: boolean },
): number | null {
  const entry = entryFor(methods, path);
  if (entry !== undefined) return entry.timeoutMs;
  return responseStream ? null : timeoutMs;
}

class DeadlineCall extends PlainCall {
  protected begin(metadata: Metadata): void {
    const leftMs = deadlineOf(this.options) - this.clock.epoch();
    // On a warm connection grpc-js would send it all the same (R51).
    if (leftMs > 0) return this.proceed(metadata);
    const details = `The deadline passed ${Math.round(-leftMs)} ms before the call began`;
    this.fail({ code: Status.DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED", details });
  }

  protected override onEnd(status: StatusObject): StatusObject {
    if (status.code === Status.OK || isReported(status)) return status;
    const outcome = classify(status, this.evidence);
    if (outcome.reason !== "DEADLINE_EXCEEDED") return status;
    const { code, details, metadata } = outcome;
    return reported(this.method, { ...status, code, details, metadata }, outcome, this.elapsedMs);
  }
}
