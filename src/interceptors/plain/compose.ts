import { type Interceptor, type Metadata, type NextCall, status as Status } from "@grpc/grpc-js";
import { problemsError, systemClock } from "../../core/index.js";
import { asInterceptingCall, type CallBelow } from "./call-types.js";
import { PlainCall } from "./plain-call.js";

/**
 * Makes one interceptor of several, the first outermost: it sees the call first and its status last. One that answers
 * by itself need not call `nextCall`; one that forgets to return a call ends that call with an error that names it.
 *
 * @throws ResilienceError `CONFIG_INVALID` for what is no function
 */
export function compose(...interceptors: readonly Interceptor[]): Interceptor {
  const problems = interceptors.flatMap((interceptor, index) =>
    typeof interceptor === "function"
      ? []
      : [`interceptor ${index + 1} is ${String(interceptor)}; allowed: a function`],
  );
  if (problems.length > 0) throw problemsError("compose", problems);
  return (options, nextCall) => {
    const chain = interceptors.reduceRight<NextCall>(
      (next, interceptor, index) => (current) => {
        const call: unknown = interceptor(current, next);
        if (isCall(call)) return call;
        const name = interceptor.name === "" ? "" : ` (${interceptor.name})`;
        return new ForgottenCall(current, next, `interceptor ${index + 1}${name}`);
      },
      nextCall,
    );
    return asInterceptingCall(chain(options));
  };
}

function isCall(value: unknown): value is CallBelow {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, "start") === "function";
}

class ForgottenCall extends PlainCall {
  constructor(
    options: Parameters<NextCall>[0],
    nextCall: NextCall,
    private readonly who: string,
  ) {
    super(options, nextCall, systemClock);
  }

  protected begin(_metadata: Metadata): void {
    const details = `${this.who} returned no call; it must return nextCall(options), or a call of its own`;
    this.fail({ code: Status.INTERNAL, reason: "CONFIG_INVALID", details });
  }
}
