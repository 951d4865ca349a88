import CircuitBreaker from "opossum";
import type { Stack } from "./stack.js";
import { type Wrapper, wrappedBare } from "./wrapped-bare.js";

type Unary = Parameters<Wrapper["run"]>[0];

/** Bare stubs in opossum: breaker and timeout, no retry. */
export const opossum: Stack = wrappedBare("opossum", false, () => {
  const action = (unary: Unary, request: Buffer): ReturnType<Unary> => unary(request);
  const breaker = new CircuitBreaker(action, { timeout: 30_000, resetTimeout: 5_000 });
  return {
    run: (unary, request) => breaker.fire(unary, request),
    close: () => breaker.shutdown(),
  };
});
