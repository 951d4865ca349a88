import { AsyncResource } from "node:async_hooks";
import {
  type Interceptor,
  type InterceptorOptions,
  type Metadata,
  type NextCall,
  status as Status,
  type StatusObject,
} from "@grpc/grpc-js";
import { type Clock, parseOptions, problemsError } from "../../core/index.js";
import { attemptNumber, lastAttempt } from "./attempt-facts.js";
import { asInterceptingCall, type MessageContext } from "./call-types.js";
import { type InterceptorCollaborators, withDefaults } from "./collaborators.js";
import { isReported } from "./local-failure.js";
import { PlainCall } from "./plain-call.js";
import {
  type LoggingOptions,
  type LogLevel,
  loggingOptionsSchema,
  type ResolvedLoggingOptions,
  type Summary,
} from "./plain-options.js";
import { Quietly } from "./quietly.js";

/** A pino logger, or anything with its methods. Without `isLevelEnabled` every level counts as on. */
export type CallLogger = { readonly [level in LogLevel]: (line: object, message: string) => void } & {
  isLevelEnabled?(level: string): boolean;
};

/**
 * Writes one line per call as it ends: method, code, ms, attempt, endpoint; reason and certainty of a failure; messages
 * sent and received by a stream. Never a payload and no metadata. Nothing is computed for a level that is off.
 *
 * @throws ResilienceError `CONFIG_INVALID` when the logger lacks a method, or naming each bad key
 */
export function loggingInterceptor(
  logger: CallLogger,
  options: LoggingOptions = {},
  collaborators: InterceptorCollaborators = {},
): Interceptor {
  const resolved = parseOptions(loggingOptionsSchema, options, "loggingInterceptor");
  for (const level of [resolved.level, resolved.failureLevel]) {
    if (typeof logger?.[level] !== "function") {
      throw problemsError("loggingInterceptor", [`the logger has no method ${level}; give a pino logger`]);
    }
  }
  const { clock } = withDefaults(collaborators);
  const quietly = new Quietly("a logger of calls, or a summary for it, threw");
  return (call, nextCall) =>
    asInterceptingCall(new LoggedCall(call, nextCall, clock, { logger, resolved, quietly }));
}

interface Log {
  readonly logger: CallLogger;
  readonly resolved: ResolvedLoggingOptions;
  readonly quietly: Quietly;
}

class LoggedCall extends PlainCall {
  readonly #log: Log;
  readonly #context = new AsyncResource("HoldfastCall");
  #attempt = 1;
  /** Held for a summary only. */
  #request: unknown;
  #response: unknown;

  constructor(options: InterceptorOptions, nextCall: NextCall, clock: Clock, log: Log) {
    super(options, nextCall, clock);
    this.#log = log;
  }

  protected begin(metadata: Metadata): void {
    this.#attempt = attemptNumber(metadata);
    this.proceed(metadata);
  }

  override sendMessageWithContext(context: MessageContext, message: unknown): void {
    const { summarizeRequest } = this.#log.resolved;
    if (summarizeRequest !== undefined && !this.options.method_definition.requestStream)
      this.#request = message;
    super.sendMessageWithContext(context, message);
  }

  protected override onReceived(message: unknown): void {
    const { summarizeResponse } = this.#log.resolved;
    if (summarizeResponse !== undefined && !this.options.method_definition.responseStream)
      this.#response = message;
  }

  protected override onEnd(status: StatusObject): StatusObject {
    const { logger, resolved, quietly } = this.#log;
    const isOk = status.code === Status.OK;
    const level = isOk ? resolved.level : resolved.failureLevel;
    quietly.run(() => {
      if (logger.isLevelEnabled?.(level) === false) return;
      const line = { ...this.#line(status), ...this.#summaries() };
      this.#context.runInAsyncScope(() => logger[level](line, isOk ? "call ended" : "call failed"));
    });
    return status;
  }

  #line(status: StatusObject): object {
    const { requestStream, responseStream } = this.options.method_definition;
    const { sent, received } = this;
    return {
      method: this.method,
      code: Status[status.code] ?? status.code,
      ms: Math.round(this.elapsedMs * 1_000) / 1_000,
      ...lastAttempt(status, this.#attempt, this.getPeer()),
      ...(isReported(status) ? { reason: status.reason, processed: status.processed } : {}),
      ...(this.#log.resolved.details && status.code !== Status.OK ? { details: status.details } : {}),
      ...(requestStream || responseStream ? { sent, received } : {}),
    };
  }

  #summaries(): object {
    const { summarizeRequest, summarizeResponse } = this.#log.resolved;
    const request = this.#summary(summarizeRequest, this.#request);
    const response = this.#summary(summarizeResponse, this.#response);
    return { ...(request === undefined ? {} : { request }), ...(response === undefined ? {} : { response }) };
  }

  /** A summary that throws costs the line nothing but itself. */
  #summary(summarize: Summary | undefined, message: unknown): object | undefined {
    if (summarize === undefined || message === undefined) return undefined;
    return this.#log.quietly.run(() => summarize(message as never, { method: this.method }));
  }
}
