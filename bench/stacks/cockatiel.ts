import {
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleAll,
  retry,
  TimeoutStrategy,
  timeout,
  wrap,
} from "cockatiel";
import type { Stack } from "./stack.js";
import { wrappedBare } from "./wrapped-bare.js";

/** Bare stubs in cockatiel's retry, breaker and timeout; it counts retries, so this is three attempts. */
export const cockatiel: Stack = wrappedBare("cockatiel", true, () => {
  const policy = wrap(
    retry(handleAll, {
      maxAttempts: 2,
      backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 1_000 }),
    }),
    circuitBreaker(handleAll, { halfOpenAfter: 5_000, breaker: new ConsecutiveBreaker(5) }),
    timeout(30_000, TimeoutStrategy.Aggressive),
  );
  return {
    run: (unary, request) => policy.execute(() => unary(request)),
    close: () => {},
  };
});
