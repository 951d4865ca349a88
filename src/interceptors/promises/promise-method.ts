import { planOf } from "./call-plan.js";
import type { CallWay } from "./call-way.js";
import type { PromiseCallOptions, Requests } from "./promise-types.js";
import { ReplyCall } from "./reply-call.js";
import { checkIterable, isIterable, sendAll } from "./send-all.js";
import { StreamCall } from "./stream-call.js";
import type { MethodKind } from "./stub-methods.js";

type Options = PromiseCallOptions | undefined;

/** A method as its caller sees it, of any kind. */
export type PromiseMethod = (first?: unknown, second?: unknown) => unknown;

/** Makes a method of its kind; which way a call takes is asked anew for each. */
export function promiseMethod(kind: MethodKind, nextWay: () => CallWay): PromiseMethod {
  if (kind.responseStream) return kind.requestStream ? bidi(nextWay) : serverStream(nextWay);
  return kind.requestStream ? clientStream(nextWay) : unary(nextWay);
}

function unary(nextWay: () => CallWay): PromiseMethod {
  return (request, options) =>
    new Promise((resolve) => {
      const way = nextWay();
      const plan = planOf(options as Options, way.readSettings);
      new ReplyCall(plan, resolve).begin(way, request);
    });
}

function clientStream(nextWay: () => CallWay): PromiseMethod {
  return (requests, options) =>
    new Promise((resolve) => {
      checkIterable(requests);
      const way = nextWay();
      const call = new ReplyCall(planOf(options as Options, way.readSettings), resolve);
      call.begin(way, undefined);
      sendAll(requests as Requests<unknown>, call, call.writer);
    });
}

function serverStream(nextWay: () => CallWay): PromiseMethod {
  return (request, options) => streamOver(nextWay(), options, request);
}

function bidi(nextWay: () => CallWay): PromiseMethod {
  return (first, second) => {
    if (!isIterable(first)) return streamOver(nextWay(), first, undefined);
    const call = streamOver(nextWay(), second, undefined);
    sendAll(first, call, call.writer);
    return call;
  };
}

function streamOver(way: CallWay, options: unknown, request: unknown): StreamCall<unknown, unknown> {
  const call = new StreamCall<unknown, unknown>(planOf(options as Options, way.readSettings));
  call.begin(way, request);
  return call;
}
