import { describe, expect, it } from "vitest";
import { A, IDEMPOTENT, readyBench } from "../support/channel-bench.js";
import { fixedRandom } from "../support/seeded-random.js";
import { FIVE_ATTEMPTS, failCurrent, msToNextAttempt } from "./attempts.js";

describe("the server's pushback", () => {
  it("R25: sets the wait to the millisecond, without jitter", async () => {
    const bench = await readyBench(FIVE_ATTEMPTS, { random: fixedRandom(0) });
    await bench.unary();

    await failCurrent(bench, { "grpc-retry-pushback-ms": "250" });

    expect(await msToNextAttempt(bench)).toBe(250);
  });

  it("R26: lets the backoff begin anew after it", async () => {
    const bench = await readyBench(FIVE_ATTEMPTS);
    await bench.unary();
    await failCurrent(bench);
    expect(await msToNextAttempt(bench)).toBe(100);

    await failCurrent(bench, { "grpc-retry-pushback-ms": "30" });
    expect(await msToNextAttempt(bench)).toBe(30);
    await failCurrent(bench);

    expect(await msToNextAttempt(bench)).toBe(100);
  });

  it.each(["-1", "soon", ""])("R24: of %j forbids a retry", async (pushback) => {
    const bench = await readyBench(FIVE_ATTEMPTS);
    const call = await bench.unary();

    await failCurrent(bench, { "grpc-retry-pushback-ms": pushback });

    expect(call.status.explanation).toContain("pushback forbids it");
  });

  it("R25: of zero retries at once, but never inside the turn of the failure", async () => {
    const bench = await readyBench(FIVE_ATTEMPTS);
    await bench.unary();

    await failCurrent(bench, { "grpc-retry-pushback-ms": "0" });
    expect(bench.network.calls).toHaveLength(1);

    await bench.advance(0);
    expect(bench.network.calls).toHaveLength(2);
  });
});

describe("the retry throttle", () => {
  const throttle = { maxTokens: 4, tokenRatio: 0.1 };
  const throttled = { ...IDEMPOTENT, retry: { maxAttempts: 5, throttle } };

  it("R29: stops retries when half of the tokens are gone, the failure's own token included", async () => {
    const bench = await readyBench(throttled);
    const call = await bench.unary();
    await failCurrent(bench);
    await msToNextAttempt(bench);

    await failCurrent(bench);

    expect(bench.channel.stats().throttle).toEqual({ tokens: 2, maxTokens: 4 });
    expect(call.status.explanation).toContain("the retry throttle is at 2 of 4 tokens");
  });

  it("R30: never holds up a first attempt, and returns the failure at once", async () => {
    const bench = await readyBench(throttled);
    for (let call = 0; call < 6; call++) {
      await bench.unary();
      await failCurrent(bench);
      await bench.advance(5_000);
    }
    const before = bench.network.calls.length;

    const call = await bench.unary();
    await failCurrent(bench);

    expect(bench.network.calls).toHaveLength(before + 1);
    expect(call.isOver).toBe(true);
    expect(bench.channel.stats().throttle?.tokens).toBe(0);
  });

  it("R28: gets tokens back from every success", async () => {
    const bench = await readyBench(throttled);
    await bench.unary();
    await failCurrent(bench);
    await msToNextAttempt(bench);

    bench.network.current.ok();
    await bench.settle();

    expect(bench.channel.stats().throttle?.tokens).toBe(3.1);
  });

  it("R28: loses none to calls that may not be retried", async () => {
    const bench = await readyBench({ retry: { throttle } });
    await bench.unary();

    await failCurrent(bench);

    expect(bench.channel.stats().throttle?.tokens).toBe(4);
  });

  it("loses one token, not one per call, when a connection is lost (R178)", async () => {
    const bench = await readyBench({
      ...IDEMPOTENT,
      retry: { throttle: { maxTokens: 20, tokenRatio: 0.1 } },
    });
    for (let call = 0; call < 8; call++) await bench.unary();

    bench.network.last(A).lose("read ECONNRESET");
    await bench.settle();

    expect(bench.channel.stats().throttle?.tokens).toBe(19);
  });

  it("loses none to picks that found no endpoint, because no server was asked", async () => {
    const bench = await readyBench({
      ...IDEMPOTENT,
      retry: { throttle: { maxTokens: 20, tokenRatio: 0.1 } },
    });
    await bench.advance(60_000);
    await bench.unary();
    bench.network.plan(A, "refuse");

    bench.network.last(A).lose("read ECONNRESET");
    await bench.advance(1_000);

    expect(bench.channel.stats().calls.attempts).toBe(3);
    expect(bench.channel.stats().throttle?.tokens).toBe(19);
  });
});
