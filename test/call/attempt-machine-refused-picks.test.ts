import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { A, B, IDEMPOTENT, readyBench } from "../support/channel-bench.js";

describe("R75: a call that finds all streams in use", () => {
  const ONE_STREAM = { maxStreamsPerConnection: 1 };

  it("waits its turn and goes out when a stream is free", async () => {
    const bench = await readyBench(ONE_STREAM);
    for (const request of ["first", "second", "third"]) await bench.unary({ request });
    expect(bench.network.calls).toHaveLength(1);

    bench.network.current.ok();
    await bench.settle();

    expect(bench.network.calls.map(({ sentTexts }) => sentTexts[0])).toEqual(["first", "second"]);
    expect(bench.channel.stats()).toMatchObject({ callsInFlight: 2, callsQueued: 1 });
  });

  it("obeys its deadline in the queue, and the free stream goes to the next", async () => {
    const bench = await readyBench(ONE_STREAM);
    await bench.unary({ request: "first" });
    const late = await bench.unary({ request: "second", deadline: bench.clock.epoch() + 100 });
    await bench.unary({ request: "third" });
    await bench.advance(100);

    bench.network.current.ok();
    await bench.settle();

    expect(late.status).toMatchObject({ reason: "NO_READY_ENDPOINT" });
    expect(late.status.details).toContain("at the limit of 1 streams");
    expect(bench.network.calls.map(({ sentTexts }) => sentTexts[0])).toEqual(["first", "third"]);
  });

  it("fails rather than wait for an endpoint that is gone for good", async () => {
    const bench = await readyBench({ ...ONE_STREAM, retry: { maxAttempts: 1 } });
    await bench.unary();
    const queued = await bench.unary();
    bench.network.plan(A, "refuse");

    bench.network.last(A).lose();
    await bench.advance(1_000);

    expect(queued.status).toMatchObject({ reason: "DIAL_FAILED", processed: "no" });
  });
});

describe("an open breaker", () => {
  const OPENS_AT_ONCE = { ...IDEMPOTENT, breaker: { consecutiveFailures: 1 } };

  it("sends the retry, and all others, to another endpoint", async () => {
    const bench = await readyBench(OPENS_AT_ONCE, { addresses: [A, B] });
    await bench.unary();
    const [first = ""] = bench.network.route;
    bench.network.current.fail(status.UNAVAILABLE);
    await bench.advance(100);

    for (let call = 0; call < 4; call++) await bench.unary();

    expect(bench.network.route.slice(1)).not.toContain(first);
  });

  it("fails calls at once where it is the only endpoint, and says when it will be tried again", async () => {
    const bench = await readyBench({ ...OPENS_AT_ONCE, retry: { maxAttempts: 1 } });
    await bench.unary();
    bench.network.current.fail(status.UNAVAILABLE);
    await bench.advance(1_000);

    const call = await bench.unary();

    expect(call.status).toMatchObject({ code: status.UNAVAILABLE, reason: "CIRCUIT_OPEN", processed: "no" });
    expect(call.status.details).toContain("next probe in 4000 ms");
  });

  it("G22: lets one probe through when its time has come, and others fail at once meanwhile", async () => {
    const bench = await readyBench({ ...OPENS_AT_ONCE, retry: { maxAttempts: 1 } });
    await bench.unary();
    bench.network.current.fail(status.UNAVAILABLE);
    await bench.advance(5_000);

    const probe = await bench.unary();
    const other = await bench.unary();
    expect(other.status.reason).toBe("CIRCUIT_OPEN");
    bench.network.current.ok();
    await bench.settle();

    expect(probe.status.code).toBe(status.OK);
    expect(bench.channel.endpoints()[0]?.breaker).toBe("closed");
  });

  it("gives the probe back when it is cancelled, so that the next call may try", async () => {
    const bench = await readyBench({ ...OPENS_AT_ONCE, retry: { maxAttempts: 1 } });
    await bench.unary();
    bench.network.current.fail(status.UNAVAILABLE);
    await bench.advance(5_000);
    const probe = await bench.unary();

    probe.cancel();
    await bench.settle();
    await bench.unary();

    expect(bench.network.calls).toHaveLength(3);
  });

  it("G21: is never the answer to an application's own errors", async () => {
    const bench = await readyBench({ breaker: { consecutiveFailures: 5 } });

    for (let call = 0; call < 20; call++) {
      await bench.unary();
      bench.network.current.fail(status.NOT_FOUND);
      await bench.settle();
    }

    expect(bench.channel.endpoints()[0]?.breaker).toBe("closed");
  });

  it("R178: counts a lost connection once, however many calls were on it", async () => {
    const bench = await readyBench({ breaker: { consecutiveFailures: 2 } });
    await bench.advance(60_000);
    for (let call = 0; call < 10; call++) await bench.unary();

    bench.network.last(A).lose("read ECONNRESET");
    await bench.settle();

    expect(bench.channel.endpoints()[0]?.breaker).toBe("closed");
  });
});
