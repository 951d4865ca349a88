import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { A, B, NOTHING_LEFT, readyBench } from "../support/channel-bench.js";
import { answer, failAttempt, HEDGED, hedgedBench } from "./hedges.js";

const attempts = (bench: Awaited<ReturnType<typeof hedgedBench>>) => bench.network.calls.length;

describe("the attempts of a hedged call", () => {
  it("start one delay after another, to the millisecond, until maxAttempts (R32)", async () => {
    const bench = await hedgedBench();
    await bench.unary();
    const started = [attempts(bench)];

    for (const ms of [49, 1, 49, 1, 10_000]) {
      await bench.advance(ms);
      started.push(attempts(bench));
    }

    expect(started).toEqual([1, 1, 2, 2, 3, 3]);
  });

  it("start all at once with a delay of 0 (R6, R32)", async () => {
    const bench = await hedgedBench({ hedging: { maxAttempts: 3, delayMs: 0 } });

    await bench.unary();

    expect(attempts(bench)).toBe(3);
  });

  it("go to another endpoint each, and come back to one only when all were used (R40)", async () => {
    const bench = await hedgedBench({ hedging: { maxAttempts: 4, delayMs: 50 } });
    await bench.unary();

    await bench.advance(150);

    const { route } = bench.network;
    expect(new Set(route.slice(0, 3)).size).toBe(3);
    expect(route).toHaveLength(4);
  });

  it("avoid an endpoint that the call has used, also where it is the picker's next (R40)", async () => {
    const bench = await hedgedBench({}, { addresses: [A, B] });
    await bench.unary();
    await bench.unary({ method: "/other.Service/Call" });

    await failAttempt(bench, 0);

    const [first, , second] = bench.network.route;
    expect(new Set([first, second])).toEqual(new Set([A, B]));
  });

  it("tell the server how many came before, hedges counted like retries (R42)", async () => {
    const bench = await hedgedBench();
    await bench.unary();

    await bench.advance(100);

    expect(bench.network.calls.map(({ previousAttempts }) => previousAttempts)).toEqual([
      undefined,
      "1",
      "2",
    ]);
  });

  it("send the time that is left as they start (R49)", async () => {
    const bench = await hedgedBench();
    const { clock } = bench;
    await bench.unary({ deadline: clock.epoch() + 1_000 });

    await bench.advance(100);

    const start = clock.epoch() - 100;
    expect(bench.network.calls.map((call, n) => call.timeoutAt(start + n * 50))).toEqual([1_000, 950, 900]);
  });

  it("have all the time of the call each, since none has to leave time for the next (R54)", async () => {
    const { attemptTimeoutMs: _none, ...byDefault } = HEDGED;
    const bench = await readyBench(byDefault, { addresses: [A, B] });
    const call = await bench.unary({ deadline: bench.clock.epoch() + 20_000 });

    await bench.advance(19_999);
    expect([attempts(bench), call.isOver]).toEqual([3, false]);
    await answer(bench, 0);

    expect(call.messages).toEqual(["answer 0"]);
  });

  it("have no limit of retry.maxAttempts, but never more than maxAttemptsLimit (R2, R6)", async () => {
    const hedging = { maxAttempts: 3, delayMs: 0 };
    const retry = { maxAttempts: 1, maxAttemptsLimit: 3 };
    const bench = await hedgedBench({ hedging, retry });

    await bench.unary();

    expect(attempts(bench)).toBe(3);
  });
});

describe("a failure of a hedged attempt that is not fatal", () => {
  it("starts the next at once, and the one after it a full delay later (R33)", async () => {
    const bench = await hedgedBench();
    await bench.unary();
    await bench.advance(20);

    await failAttempt(bench, 0);
    expect(attempts(bench)).toBe(2);

    await bench.advance(49);
    expect(attempts(bench)).toBe(2);
    await bench.advance(1);
    expect(attempts(bench)).toBe(3);
  });

  it("with pushback of n ms puts the next attempt off until then, the running timer included (R37)", async () => {
    const bench = await hedgedBench();
    await bench.unary();
    await bench.advance(20);

    await failAttempt(bench, 0, { "grpc-retry-pushback-ms": "200" });
    await bench.advance(199);
    expect(attempts(bench)).toBe(1);
    await bench.advance(1);
    expect(attempts(bench)).toBe(2);

    await bench.advance(49);
    expect(attempts(bench)).toBe(2);
    await bench.advance(1);
    expect(attempts(bench)).toBe(3);
  });

  it("with pushback not to retry starts no more, and waits for those in flight (R24, R37)", async () => {
    const bench = await hedgedBench();
    const call = await bench.unary();
    await bench.advance(50);

    await failAttempt(bench, 0, { "grpc-retry-pushback-ms": "-1" });
    await bench.advance(5_000);
    expect([attempts(bench), call.isOver]).toEqual([2, false]);
    await answer(bench, 1);

    expect(call.messages).toEqual(["answer 1"]);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("with pushback not to retry keeps back an attempt that was due in the same turn (R37)", async () => {
    const bench = await hedgedBench({ hedging: { maxAttempts: 5, delayMs: 50 } });
    const call = await bench.unary();
    await bench.advance(100);

    bench.network.call(0).fail(status.UNAVAILABLE);
    bench.network.call(1).fail(status.UNAVAILABLE, "scripted", { "grpc-retry-pushback-ms": "-1" });
    await bench.advance(1_000);
    expect([attempts(bench), call.isOver]).toEqual([3, false]);
    await answer(bench, 2);

    expect(call.messages).toEqual(["answer 2"]);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("with pushback not to retry ends a call of which nothing else is in flight (R37)", async () => {
    const bench = await hedgedBench();
    const call = await bench.unary();

    await failAttempt(bench, 0, { "grpc-retry-pushback-ms": "soon" });

    expect(call.status.code).toBe(status.UNAVAILABLE);
    expect(call.status.explanation).toContain("pushback forbids another attempt");
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });
});

describe("the timer of a hedged call", () => {
  it("keeps the process alive while the call waits, and is gone when it is over (R20)", async () => {
    const bench = await hedgedBench(HEDGED);
    const before = bench.clock.keepAliveTimers;
    await bench.unary({ deadline: Number.POSITIVE_INFINITY });
    expect(bench.clock.keepAliveTimers).toBe(before + 1);

    await answer(bench, 0);

    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });
});
