import { type Interceptor, Metadata, type ServiceDefinition } from "@grpc/grpc-js";
import {
  authInterceptor,
  breakerInterceptor,
  type CallLogger,
  compose,
  concurrencyLimitInterceptor,
  deadlineInterceptor,
  hedgingInterceptor,
  hooksInterceptor,
  loggingInterceptor,
  metadataInterceptor,
  type RefreshingCredentials,
  retryInterceptor,
} from "holdfast";
import type { DoorOptions } from "./doors.js";

const levelNames = ["trace", "debug", "info", "warn", "error", "fatal"];
const silentLogger = Object.fromEntries(
  levelNames.map((level) => [level, () => {}]),
) as unknown as CallLogger;

/**
 * Every interceptor, in the order that the docs give, each with what the options of a channel say of its concern. What
 * none of them can do has no effect.
 *
 * @param service the definition of the stub, where its class has it
 */
export function composedInterceptors(
  options: NonNullable<DoorOptions["channel"]>,
  service?: ServiceDefinition,
): Interceptor {
  const { timeoutMs, attemptTimeoutMs, maxMetadataBytes, hedging, methods = {} } = options;
  const retry = options.retry === false ? { maxAttempts: 1 } : options.retry;
  const { perCallBufferBytes: _perCall, perChannelBufferBytes: _perChannel, ...rules } = retry ?? {};
  const levels = {
    ...(attemptTimeoutMs !== undefined && { attemptTimeoutMs }),
    ...(service !== undefined && { service }),
    methods: Object.fromEntries(
      Object.entries(methods).map(([name, { idempotent }]) => [
        name,
        idempotent === undefined ? {} : { idempotent },
      ]),
    ),
  };
  const { throttle } = rules;
  return compose(
    hooksInterceptor({}),
    loggingInterceptor(silentLogger),
    deadlineInterceptor(typeof timeoutMs === "number" ? { timeoutMs } : {}),
    ...(hedging === undefined || hedging === false
      ? []
      : [hedgingInterceptor({ ...hedging, ...levels, ...(throttle !== undefined && { throttle }) })]),
    retryInterceptor({ ...rules, ...levels }),
    ...(options.breaker === false ? [] : [breakerInterceptor(options.breaker)]),
    concurrencyLimitInterceptor(),
    ...(options.callCredentials === undefined
      ? []
      : [authBy(options.callCredentials as RefreshingCredentials)]),
    metadataInterceptor(new Metadata(), maxMetadataBytes === undefined ? {} : { maxMetadataBytes }),
  );
}

function authBy(credentials: RefreshingCredentials): Interceptor {
  return authInterceptor({
    getMetadata({ method, isRefresh }) {
      if (isRefresh) credentials.refresh();
      return credentials.generateMetadata({ method_name: method, service_url: "" });
    },
    idempotent: true,
  });
}
