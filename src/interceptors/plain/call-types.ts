import type { Interceptor, NextCall } from "@grpc/grpc-js";

/** A call as the next interceptor, or grpc-js itself, hands it out. */
export type CallBelow = ReturnType<NextCall>;

/** Whoever hears of a call: the interceptor above, or grpc-js's `Client`. */
export type CallListener = NonNullable<Parameters<CallBelow["start"]>[1]>;

export type MessageContext = Parameters<CallBelow["sendMessageWithContext"]>[0];

/**
 * grpc-js wants the class `InterceptingCall`, but uses its interface only; another layer of it around ours would cost
 * every message.
 */
export function asInterceptingCall(call: CallBelow): ReturnType<Interceptor> {
  return call as ReturnType<Interceptor>;
}
