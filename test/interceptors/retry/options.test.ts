import {
  type HedgingInterceptorOptions,
  hedgingInterceptor,
  type RetryInterceptorOptions,
  retryInterceptor,
  retryThrottle,
} from "holdfast";
import { describe, expect, it } from "vitest";
import { configErrorOf } from "../../support/config-error.js";
import { serviceOf } from "./fake-scene.js";

describe("options of the retry interceptor", () => {
  it.each<[RetryInterceptorOptions, RegExp]>([
    [{ maxAttempts: 0 }, /maxAttempts is 0; allowed: 1 or more/],
    [{ maxAttempts: 9 }, /maxAttempts is 9; allowed: 1 to maxAttemptsLimit \(5\)/],
    [{ maxAttempts: 1.5 }, /maxAttempts is 1.5/],
    [{ backoff: { initialMs: 0 } }, /backoff.initialMs is 0; allowed: 1 or more/],
    [{ backoff: { multiplier: 0 } }, /backoff.multiplier is 0; allowed: more than 0/],
    [{ retryableCodes: [] }, /retryableCodes is an empty array/],
    [{ retryableCodes: ["OK"] }, /retryableCodes.0.*no failure/],
    [{ retryableCodes: ["UNAVAILBLE"] }, /did you mean UNAVAILABLE/],
    [{ throttle: { maxTokens: 1_001 } }, /throttle.maxTokens is 1001; allowed: 1000 or less/],
    [{ maxBufferedMessages: -1 }, /maxBufferedMessages is -1; allowed: 0 or more/],
    [{ attemptTimeoutMs: 0 }, /attemptTimeoutMs is 0; allowed: 1 or more/],
    [{ methods: { "/a.B/C": {} } }, /no leading slash/],
    [
      { methods: { "a.B/C": { retry: { maxAttempts: 7 } } } },
      /maxAttempts is 7; allowed: 1 to maxAttemptsLimit/,
    ],
    [{ service: [] }, /service: is empty; allowed: one service definition or more/],
    [
      { service: {} },
      /service: must be a service definition, such as UserServiceClient.service, or several$/,
    ],
    [{ service: class {} as never }, /service is a function: must be a service definition/],
    [
      { service: [serviceOf({ path: "/a.B/C" }), null as never] },
      /service.1 is null: must be a service definition/,
    ],
    [{ perCallBufferBytes: 1 } as RetryInterceptorOptions, /perCallBufferBytes is not a known key/],
  ])("refuse %j with key, value and range (R1-R7)", (options, problem) => {
    expect(configErrorOf(() => retryInterceptor(options)).details).toMatch(problem);
  });

  it("are all reported in one error (R1-R7)", () => {
    const { details } = configErrorOf(() => retryInterceptor({ maxAttempts: 0, maxBufferedMessages: -1 }));

    expect(details).toMatch(/^retryInterceptor: 2 problems: /);
  });
});

describe("options of the hedging interceptor", () => {
  it.each<[HedgingInterceptorOptions, RegExp]>([
    [{ maxAttempts: 1 }, /maxAttempts is 1; allowed: 2 or more/],
    [{ maxAttempts: 6 }, /maxAttempts is 6; allowed: 1 to maxAttemptsLimit \(5\)/],
    [{ delayMs: -1 }, /delayMs is -1; allowed: 0 or more/],
    [{ nonFatalCodes: ["NOPE"] }, /nonFatalCodes.0/],
    [{ methods: { "a.B": { hedging: { maxAttempts: 7 } } } }, /maxAttempts is 7/],
    [{ throttle: { tokenRatio: 0 } }, /throttle.tokenRatio is 0/],
    [{ service: 5 as never }, /service is 5: must be a service definition/],
  ])("refuse %j with key, value and range (R6, R7)", (options, problem) => {
    expect(configErrorOf(() => hedgingInterceptor(options)).details).toMatch(problem);
  });
});

it("refuses a throttle that could not work (R7)", () => {
  expect(configErrorOf(() => retryThrottle({ maxTokens: 0 })).details).toMatch(
    /maxTokens is 0; allowed: 0.001 or more/,
  );
});
