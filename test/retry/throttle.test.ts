import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RetryThrottle, ThrottleRegistry } from "../../src/retry/throttle.js";

function bucket(maxTokens: number, tokenRatio = 0.1): RetryThrottle {
  return new RetryThrottle({ maxTokens, tokenRatio });
}

function fail(throttle: RetryThrottle, times: number): void {
  for (let n = 0; n < times; n++) throttle.recordFailure();
}

describe("the retry throttle", () => {
  it("R27: starts full", () => {
    const throttle = bucket(20);

    expect(throttle.tokens).toBe(20);
    expect(throttle.maxTokens).toBe(20);
    expect(throttle.canRetry()).toBe(true);
  });

  it("R29: stops retries when half of the tokens are left", () => {
    const throttle = bucket(10);

    fail(throttle, 4);
    expect(throttle.canRetry()).toBe(true);

    fail(throttle, 1);
    expect(throttle.tokens).toBe(5);
    expect(throttle.canRetry()).toBe(false);
  });

  it("R29: allows retries again a thousandth above half", () => {
    const throttle = bucket(10, 0.001);
    fail(throttle, 5);

    throttle.recordSuccess();

    expect(throttle.tokens).toBe(5.001);
    expect(throttle.canRetry()).toBe(true);
  });

  it("R29: with two tokens the first failure is already not retried", () => {
    const throttle = bucket(2);

    fail(throttle, 1);

    expect(throttle.canRetry()).toBe(false);
  });

  it("R27: never goes below zero, so recovery takes as many successes after an hour of failures", () => {
    const throttle = bucket(2, 0.5);
    fail(throttle, 1_000);

    for (let n = 0; n < 3; n++) throttle.recordSuccess();

    expect(throttle.tokens).toBe(1.5);
  });

  it("R28: gives tokenRatio back for a success, up to a full bucket", () => {
    const throttle = bucket(3, 0.7);
    fail(throttle, 1);

    throttle.recordSuccess();
    expect(throttle.tokens).toBe(2.7);

    throttle.recordSuccess();
    expect(throttle.tokens).toBe(3);
  });

  it("R7: drops digits of tokenRatio past the third decimal", () => {
    const throttle = bucket(4, 0.5466);
    fail(throttle, 2);

    throttle.recordSuccess();

    expect(throttle.tokens).toBe(2.546);
  });

  it("R7: accepts three decimals in maxTokens", () => {
    const throttle = bucket(2.125);

    fail(throttle, 1);

    expect(throttle.maxTokens).toBe(2.125);
    expect(throttle.tokens).toBe(1.125);
    expect(throttle.canRetry()).toBe(true);
  });

  it("R7: loses no thousandth to binary fractions", () => {
    const inexact = [];

    for (let n = 1; n <= 1_000_000; n++) if (bucket(n / 1_000).maxTokens !== n / 1_000) inexact.push(n);

    expect(inexact).toEqual([]);
  });

  it("stays exact over a million successes", () => {
    const throttle = bucket(1_000, 0.001);
    fail(throttle, 1_000);

    for (let n = 0; n < 999_999; n++) throttle.recordSuccess();

    expect(throttle.tokens).toBe(999.999);
  });

  it("counts all failures of one connection loss once", () => {
    const throttle = bucket(20);
    const loss = {};

    for (let call = 0; call < 50; call++) throttle.recordFailure(loss);

    expect(throttle.tokens).toBe(19);
  });

  it("counts two connection losses twice, and failures without one each time", () => {
    const throttle = bucket(20);

    for (const incident of [{}, {}, null, null, undefined]) throttle.recordFailure(incident);

    expect(throttle.tokens).toBe(15);
  });

  it("R27, R28: keeps the count of a plain sum held within [0, maxTokens]", () => {
    const events = fc.array(fc.constantFrom("success", "failure", "incident"), { maxLength: 200 });
    const thousandths = fc.integer({ min: 1, max: 30_000 });
    fc.assert(
      fc.property(thousandths, fc.integer({ min: 1, max: 3_000 }), events, (max, gain, sequence) => {
        const throttle = bucket(max / 1_000, gain / 1_000);
        const incident = {};
        let model = max;
        let isCounted = false;

        for (const event of sequence) {
          if (event === "success") throttle.recordSuccess();
          else throttle.recordFailure(event === "incident" ? incident : null);

          const isFree = event === "incident" && isCounted;
          const change = event === "success" ? gain : isFree ? 0 : -1_000;
          isCounted ||= event === "incident";
          model = Math.min(max, Math.max(0, model + change));
          expect(Math.round(throttle.tokens * 1_000)).toBe(model);
          expect(throttle.canRetry()).toBe(model > max / 2);
        }
      }),
    );
  });
});

describe("sharing a throttle", () => {
  const options = { maxTokens: 20, tokenRatio: 0.1 };

  it("R27: gives two channels of one target and equal options one bucket", () => {
    const registry = new ThrottleRegistry();

    const first = registry.acquire("dns:///kv:9000", options);
    const second = registry.acquire("dns:///kv:9000", { ...options });

    expect(second).toBe(first);
  });

  it("R27: keeps targets, and options that differ, apart", () => {
    const registry = new ThrottleRegistry();
    const buckets = new Set([
      registry.acquire("a", options),
      registry.acquire("b", options),
      registry.acquire("a", { ...options, maxTokens: 10 }),
      registry.acquire("a", { ...options, tokenRatio: 0.2 }),
    ]);

    expect(buckets.size).toBe(4);
  });

  it("keeps the bucket while one channel still uses it", () => {
    const registry = new ThrottleRegistry();
    const used = registry.acquire("a", options);
    registry.acquire("a", options);

    registry.release("a", used);

    expect(registry.acquire("a", options)).toBe(used);
  });

  it("forgets the bucket with its last user, so a new channel starts full", () => {
    const registry = new ThrottleRegistry();
    const used = registry.acquire("a", options);
    registry.acquire("a", options);
    fail(used, 20);

    registry.release("a", used);
    registry.release("a", used);

    expect(registry.acquire("a", options).tokens).toBe(20);
  });

  it("forgets only the bucket that was released", () => {
    const registry = new ThrottleRegistry();
    const kept = registry.acquire("a", options);
    const other = registry.acquire("a", { ...options, maxTokens: 10 });

    registry.release("a", other);

    expect(registry.acquire("a", options)).toBe(kept);
    expect(registry.acquire("a", { ...options, maxTokens: 10 })).not.toBe(other);
  });

  it("takes no harm from releasing a bucket it does not know", () => {
    const registry = new ThrottleRegistry();
    const used = registry.acquire("a", options);

    registry.release("a", bucket(20));
    registry.release("b", used);

    expect(registry.acquire("a", options)).toBe(used);
  });
});
