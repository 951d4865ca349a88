import { AsyncResource } from "node:async_hooks";
import type { Interceptor, InterceptorOptions, Metadata, NextCall, StatusObject } from "@grpc/grpc-js";
import { type Clock, parseOptions } from "../../core/index.js";
import { attemptNumber, lastAttempt } from "./attempt-facts.js";
import { asInterceptingCall } from "./call-types.js";
import { type InterceptorCollaborators, withDefaults } from "./collaborators.js";
import { isReported } from "./local-failure.js";
import { PlainCall } from "./plain-call.js";
import { type CallCounts, type CallHooks, hooksSchema, type StartedCall } from "./plain-options.js";
import { Quietly } from "./quietly.js";
import { deadlineOf } from "./wait-limits.js";

/**
 * Tells of every call of any kind: that it started, its messages by number, and once how it ended, be it by a cancel.
 * Hooks run in the async context of the caller. They see no payload and change nothing: not by what they return, throw
 * or reject.
 *
 * @param hooks for all calls, or a function that makes those of one call, for state of its own
 * @throws ResilienceError `CONFIG_INVALID` naming each bad key
 */
export function hooksInterceptor(
  hooks: CallHooks | ((call: StartedCall) => CallHooks),
  collaborators: InterceptorCollaborators = {},
): Interceptor {
  const { clock } = withDefaults(collaborators);
  const quietly = new Quietly("a hook threw");
  const checked = typeof hooks === "function" ? null : parseOptions(hooksSchema, hooks, "hooksInterceptor");
  const hooksFor = (call: StartedCall): CallHooks =>
    checked ??
    parseOptions(hooksSchema, (hooks as (call: StartedCall) => CallHooks)(call), "hooksInterceptor");
  return (call, nextCall) => asInterceptingCall(new HookedCall(call, nextCall, clock, hooksFor, quietly));
}

class HookedCall extends PlainCall {
  readonly #hooksFor: (call: StartedCall) => CallHooks;
  readonly #quietly: Quietly;
  readonly #context = new AsyncResource("HoldfastCall");
  #hooks: CallHooks = {};
  #attempt = 1;

  constructor(
    options: InterceptorOptions,
    nextCall: NextCall,
    clock: Clock,
    hooksFor: (call: StartedCall) => CallHooks,
    quietly: Quietly,
  ) {
    super(options, nextCall, clock);
    this.#hooksFor = hooksFor;
    this.#quietly = quietly;
  }

  protected begin(metadata: Metadata): void {
    this.#attempt = attemptNumber(metadata);
    const { method } = this;
    const { requestStream, responseStream } = this.options.method_definition;
    const deadline = deadlineOf(this.options);
    const call: StartedCall = {
      method,
      requestStream,
      responseStream,
      attempt: this.#attempt,
      deadline: deadline === Number.POSITIVE_INFINITY ? null : deadline,
    };
    this.#hooks = this.#run(() => this.#hooksFor(call)) ?? {};
    this.#run(() => this.#hooks.onStart?.(call));
    this.proceed(metadata);
  }

  protected override onSent(): void {
    if (this.#hooks.onMessageSent !== undefined) this.#run(() => this.#hooks.onMessageSent?.(this.#counts));
  }

  protected override onReceived(): void {
    if (this.#hooks.onMessageReceived !== undefined)
      this.#run(() => this.#hooks.onMessageReceived?.(this.#counts));
  }

  protected override onEnd(status: StatusObject): StatusObject {
    if (this.#hooks.onFinish === undefined) return status;
    const { code, details } = status;
    const finished = {
      ...this.#counts,
      code,
      details,
      reason: isReported(status) ? status.reason : null,
      ms: this.elapsedMs,
      ...lastAttempt(status, this.#attempt, this.getPeer()),
    };
    this.#run(() => this.#hooks.onFinish?.(finished));
    return status;
  }

  get #counts(): CallCounts {
    const { method, sent, received } = this;
    return { method, sent, received };
  }

  #run<T>(work: () => T): T | undefined {
    return this.#quietly.run(() => this.#context.runInAsyncScope(work));
  }
}
