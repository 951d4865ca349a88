import { describe, expect, it } from "vitest";
import { type ChannelOptions, channelOptionsSchema } from "../../src/call/channel-options.js";
import { isIdempotentCall, MethodPolicies, type MethodPolicy } from "../../src/call/method-policy.js";
import { KnownMethods } from "../../src/call/rpc-kind.js";
import { attemptLimitMs } from "../../src/retry/index.js";
import { fixedRandom } from "../support/seeded-random.js";

const GET = "/kv.KV/Get";

function policiesOf(options: Partial<ChannelOptions>, known = new KnownMethods()): MethodPolicies {
  return new MethodPolicies(
    channelOptionsSchema.parse({ insecure: true, ...options }),
    known,
    fixedRandom(0.5),
  );
}

function policyOf(options: Partial<ChannelOptions>, path = GET): MethodPolicy {
  return policiesOf(options).of(path);
}

describe("C02: the options of a method", () => {
  const methods = {
    "kv.KV/Get": { timeoutMs: 100 },
    "kv.KV": { timeoutMs: 200, waitForReady: true, retry: { maxAttempts: 2 } },
  };

  it.each([
    ["/kv.KV/Get", 100],
    ["/kv.KV/Put", 200],
    ["/kv.Other/Get", 30_000],
    ["/Get", 30_000],
  ])("of %s are those of the most exact name", (path, timeoutMs) => {
    expect(policyOf({ methods }, path).timeoutMs).toBe(timeoutMs);
  });

  it("come field by field: what the method leaves out its service says, and then the channel", () => {
    const policy = policyOf({ methods, attemptTimeoutMs: 50 });

    expect(policy).toMatchObject({ timeoutMs: 100, isWaitingForReady: true, attemptTimeoutMs: 50 });
    expect(policy.retry.maxAttempts).toBe(2);
  });

  it("may be null or false, which is a value and not an absence", () => {
    const policy = policyOf({
      waitForReady: true,
      attemptTimeoutMs: 50,
      methods: { "kv.KV": { timeoutMs: null, attemptTimeoutMs: null, waitForReady: false, retry: false } },
    });

    expect(policy).toMatchObject({ timeoutMs: null, attemptTimeoutMs: null, isWaitingForReady: false });
    expect(policy.retry.maxAttempts).toBe(1);
  });

  it("are looked up once and kept", () => {
    const policies = policiesOf({});

    expect(policies.of(GET)).toBe(policies.of(GET));
  });

  it("change only the parts of the backoff that they name", () => {
    const policy = policyOf({
      retry: { backoff: { initialMs: 7, jitter: "none" } },
      methods: { "kv.KV": { retry: { backoff: { multiplier: 3 } } } },
    });

    expect([1, 2, 3].map((retry) => policy.retry.backoff.delayMs(retry))).toEqual([7, 21, 63]);
  });

  it("replace the list of retryable codes as a whole", () => {
    const policy = policyOf({ methods: { "kv.KV": { retry: { retryableCodes: ["ABORTED"] } } } });

    expect(policy.retry.retryableCodes).toEqual([10]);
  });

  it("may have as many attempts as the channel's limit, and a call no more", () => {
    const policies = policiesOf({ methods: { "kv.KV": { retry: { maxAttempts: 5 } } } });
    const policy = policies.of(GET);

    expect(policy.retry.maxAttempts).toBe(5);
    expect(policies.overridden(policy, { maxAttempts: 9 }).maxAttempts).toBe(5);
  });
});

describe("idempotency", () => {
  const known = new KnownMethods();
  known.add({
    get: {
      path: GET,
      requestStream: false,
      responseStream: false,
      options: { idempotency_level: "IDEMPOTENT" },
    },
  });

  it("comes from the definition where the options say nothing", () => {
    expect(policiesOf({}, known).of(GET).isIdempotent).toBe(true);
    expect(policiesOf({}).of(GET).isIdempotent).toBe(false);
  });

  it("of the options wins over the definition, both ways", () => {
    expect(policiesOf({ methods: { "kv.KV": { idempotent: false } } }, known).of(GET).isIdempotent).toBe(
      false,
    );
    expect(policyOf({ methods: { "kv.KV": { idempotent: true } } }).isIdempotent).toBe(true);
  });

  it.each([
    [undefined, false, false, false],
    [undefined, true, false, true],
    [undefined, false, true, true],
    [false, true, true, false],
    [true, false, false, true],
  ])(
    "of one call: said %s, marked %s, of the method %s, is %s",
    (idempotent, isMarked, ofMethod, expected) => {
      const policy = policyOf({ methods: { "kv.KV": { idempotent: ofMethod } } });
      const settings = idempotent === undefined ? {} : { idempotent };

      expect(isIdempotentCall(policy, settings, isMarked)).toBe(expected);
    },
  );
});

describe("what one call changes of the retry policy", () => {
  it("is one attempt when it says false", () => {
    const policies = policiesOf({});

    expect(policies.overridden(policies.of(GET), false).maxAttempts).toBe(1);
  });

  it("is laid over the method's, and leaves the method's as it was", () => {
    const policies = policiesOf({ retry: { backoff: { jitter: "none" } } });
    const policy = policies.of(GET);

    const changed = policies.overridden(policy, {
      maxAttempts: 4,
      backoff: { initialMs: 5, maxMs: undefined },
    });

    expect(changed.maxAttempts).toBe(4);
    expect([1, 5].map((retry) => changed.backoff.delayMs(retry))).toEqual([5, 80]);
    expect(policy.retry.maxAttempts).toBe(3);
    expect(policy.retry.backoff.delayMs(1)).toBe(100);
  });
});

describe("R54: the limit of one attempt", () => {
  const UNARY = { requestStream: false, responseStream: false };
  const CLIENT_STREAM = { requestStream: true, responseStream: false };
  const SERVER_STREAM = { requestStream: false, responseStream: true };
  const CALL = { isIdempotent: true, maxAttempts: 3, timeLeftMs: 30_000 };
  const NONE = Number.POSITIVE_INFINITY;

  it.each([
    ["an idempotent unary call is at most 5 s", undefined, UNARY, CALL, 5_000],
    ["a short idempotent unary call is its share", undefined, UNARY, { ...CALL, timeLeftMs: 900 }, 300],
    [
      "an idempotent unary call without a deadline is 5 s",
      undefined,
      UNARY,
      { ...CALL, timeLeftMs: NONE },
      5_000,
    ],
    ["a call that may not be repeated is none", undefined, UNARY, { ...CALL, isIdempotent: false }, NONE],
    ["a call with one attempt is none", undefined, UNARY, { ...CALL, maxAttempts: 1 }, NONE],
    ["a client stream is none by default", undefined, CLIENT_STREAM, CALL, NONE],
    ["a client stream is what was configured", 700, CLIENT_STREAM, CALL, 700],
    [
      "a unary call is what was configured, repeatable or not",
      700,
      UNARY,
      { ...CALL, isIdempotent: false },
      700,
    ],
    ["a response stream is none, whatever was configured", 700, SERVER_STREAM, CALL, NONE],
    ["a call configured to have none is none", null, UNARY, CALL, NONE],
  ])("of %s", (_what, attemptTimeoutMs, kind, call, expected) => {
    const policy = { ...policyOf({}), attemptTimeoutMs };

    const { isIdempotent, maxAttempts, timeLeftMs } = call;
    expect(attemptLimitMs(policy.attemptTimeoutMs, kind, isIdempotent, maxAttempts, timeLeftMs)).toBe(
      expected,
    );
  });
});
