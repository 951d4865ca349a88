import { Metadata, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { A, B, type ChannelBench, NOTHING_LEFT, readyBench } from "../support/channel-bench.js";
import { bidi, clientStream, serverStream, type TestCall } from "../support/test-call.js";

const GET = "/test.Echo/Get";
const PUT = "/test.Echo/Put";
const NO_RETRY = { retry: false } as const;

/** A call that the server answers with UNAVAILABLE. */
async function failed(bench: ChannelBench, method = GET): Promise<TestCall> {
  const call = await bench.unary({ method });
  bench.network.current.fail(status.UNAVAILABLE);
  await bench.settle();
  return call;
}

async function answered(bench: ChannelBench, method = GET): Promise<TestCall> {
  const call = await bench.unary({ method });
  bench.network.current.ok();
  await bench.settle();
  return call;
}

/** What a call made now comes to, which the server answers if it gets there. */
async function outcome(bench: ChannelBench, method = GET): Promise<string> {
  const before = bench.network.calls.length;
  const call = await bench.unary({ method });
  if (bench.network.calls.length > before) {
    const { peer } = bench.network.current;
    bench.network.current.ok();
    await bench.settle();
    return peer;
  }
  return call.isOver ? (call.status.reason ?? "no reason") : "waits";
}

describe('a breaker with scope "method"', () => {
  const SCOPED = { ...NO_RETRY, breaker: { consecutiveFailures: 3, scope: "method" as const } };

  it("keeps the one method from the endpoint, while the others go on, and says which in its event", async () => {
    const bench = await readyBench(SCOPED);
    for (let call = 0; call < 3; call++) await failed(bench, GET);

    expect([await outcome(bench, GET), await outcome(bench, PUT)]).toEqual(["CIRCUIT_OPEN", A]);
    expect(bench.eventsOf("breaker.state")).toEqual([
      { type: "breaker.state", endpoint: A, method: GET, from: "closed", to: "open", retryInMs: 5_000 },
    ]);
  });

  it("sends the method elsewhere while another endpoint takes it", async () => {
    const bench = await readyBench(SCOPED, { addresses: [A, B] });
    for (let call = 0; call < 8; call++) {
      const test = await bench.unary({ method: GET });
      const { peer } = bench.network.current;
      if (peer === A) bench.network.current.fail(status.UNAVAILABLE);
      else bench.network.current.ok();
      await bench.settle();
      expect(test.isOver).toBe(true);
    }

    const gets = [await outcome(bench), await outcome(bench), await outcome(bench)];
    const puts = [await outcome(bench, PUT), await outcome(bench, PUT)];

    expect(gets).toEqual([B, B, B]);
    expect(puts.toSorted()).toEqual([A, B]);
  });

  it("lets a failed method be tried again after its time, by itself", async () => {
    const bench = await readyBench(SCOPED);
    for (let call = 0; call < 3; call++) await failed(bench, GET);
    await bench.advance(5_000);

    expect(await outcome(bench, GET)).toBe(A);
    expect(bench.eventsOf("breaker.state").map(({ method, to }) => [method, to])).toEqual([
      [GET, "open"],
      [GET, "half-open"],
      [GET, "closed"],
    ]);
  });

  it("counts lost connections against the endpoint, not a method: the fault is no method's", async () => {
    const bench = await readyBench({ ...SCOPED, breaker: { consecutiveFailures: 1, scope: "method" } });
    await bench.unary({ method: GET });
    bench.network.last(A).lose();
    await bench.settle();

    const [event] = bench.eventsOf("breaker.state");

    expect(event).toMatchObject({ endpoint: A, to: "open" });
    expect(event).not.toHaveProperty("method");
  });

  it("is subject to the floor of its endpoint set, like any other", async () => {
    const bench = await readyBench({ ...SCOPED, maxEjectionPercent: 0 });
    for (let call = 0; call < 9; call++) await failed(bench, GET);

    expect(await outcome(bench, GET)).toBe(A);
    expect(bench.eventsOf("breaker.state")).toEqual([]);
  });
});

describe("rules that open a breaker", () => {
  it("count: the share of failures among the last calls", async () => {
    const breaker = { count: { size: 10, threshold: 0.5, minimumCalls: 10 } };
    const bench = await readyBench({ ...NO_RETRY, breaker });

    for (let call = 0; call < 5; call++) await answered(bench);
    for (let call = 0; call < 4; call++) await failed(bench);
    const before = bench.channel.endpoints()[0]?.breaker;
    await failed(bench);

    expect([before, bench.channel.endpoints()[0]?.breaker]).toEqual(["closed", "open"]);
  });

  it("sampling: the share of failures within a time", async () => {
    const breaker = { sampling: { durationMs: 10_000, threshold: 0.5, minimumRps: 1 } };
    const bench = await readyBench({ ...NO_RETRY, breaker });

    for (let call = 0; call < 5; call++) await failed(bench);
    const before = bench.channel.endpoints()[0]?.breaker;
    for (let call = 0; call < 10; call++) {
      await failed(bench);
      await bench.advance(200);
    }

    expect([before, bench.channel.endpoints()[0]?.breaker]).toEqual(["closed", "open"]);
  });

  it("slowCalls: answers that come too late, though they are answers", async () => {
    const breaker = { slowCalls: { slowerThanMs: 100, size: 4, threshold: 0.5 } };
    const bench = await readyBench({ ...NO_RETRY, breaker });

    for (let call = 0; call < 4; call++) {
      await bench.unary();
      await bench.advance(call < 2 ? 10 : 200);
      bench.network.current.ok();
      await bench.settle();
    }

    expect(bench.channel.endpoints()[0]?.breaker).toBe("open");
    expect(await outcome(bench)).toBe("CIRCUIT_OPEN");
  });

  it.each([
    ["a response stream", serverStream],
    ["a bidi stream", bidi],
    ["a request stream", clientStream],
  ])("slowCalls does not take the long life of %s for a slow answer", async (_, start) => {
    const breaker = { slowCalls: { slowerThanMs: 100, size: 2, threshold: 0.5 } };
    const bench = await readyBench({ ...NO_RETRY, breaker, timeoutMs: null });

    const ends: unknown[] = [];
    for (let stream = 0; stream < 3; stream++) {
      const call = start(bench.channel);
      await bench.settle();
      bench.network.current.headers();
      await bench.advance(10_000);
      call.end().flow();
      bench.network.current.ok();
      await bench.settle();
      ends.push(call.status.reason ?? call.status.code);
    }

    expect(ends).toEqual([status.OK, status.OK, status.OK]);
    expect(bench.eventsOf("breaker.state")).toEqual([]);
  });
});

describe("an open breaker", () => {
  it("tells the caller when the next probe is due, as a Date in the error", async () => {
    const bench = await readyBench(NO_RETRY);
    for (let call = 0; call < 5; call++) await failed(bench);
    await bench.advance(1_500);

    const { status: error } = await bench.unary();

    expect(error).toMatchObject({
      code: status.UNAVAILABLE,
      reason: "CIRCUIT_OPEN",
      processed: "no",
      retryAt: new Date(bench.clock.epoch() + 3_500),
    });
    expect(error.details).toContain("next probe in 3500 ms");
  });

  it("lets one probe through while others fail over at once, however long it hangs (G22)", async () => {
    const bench = await readyBench(NO_RETRY, { addresses: [A, B] });
    for (let call = 0; call < 10; call++) {
      await bench.unary();
      if (bench.network.current.peer === A) bench.network.current.fail(status.UNAVAILABLE);
      else bench.network.current.ok();
      await bench.settle();
    }
    await bench.advance(5_000);
    const before = bench.network.calls.length;

    for (let call = 0; call < 50; call++) await bench.unary();
    const routed = bench.network.route.slice(before);

    expect(routed.filter((peer) => peer === A)).toHaveLength(1);
    expect(routed).toHaveLength(50);
    for (const call of bench.network.calls.slice(before)) call.ok();
    await bench.settle();
    expect(bench.channel.endpoints().map(({ breaker }) => breaker)).toEqual(["closed", "closed"]);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("of the only endpoint refuses the others at once while its probe hangs (G22)", async () => {
    const bench = await readyBench(NO_RETRY);
    for (let call = 0; call < 5; call++) await failed(bench);
    await bench.advance(5_000);
    await bench.unary();

    const others = await Promise.all(Array.from({ length: 10 }, () => bench.unary()));

    expect(others.map(({ isOver }) => isOver)).toEqual(Array(10).fill(true));
    expect(new Set(others.map(({ status: end }) => end.reason))).toEqual(new Set(["CIRCUIT_OPEN"]));
    expect(bench.network.calls).toHaveLength(6);
  });

  it("opens again by one failed probe, for longer (G26)", async () => {
    const bench = await readyBench(NO_RETRY);
    for (let call = 0; call < 5; call++) await failed(bench);
    await bench.advance(5_000);

    await failed(bench);

    expect(bench.eventsOf("breaker.state").at(-1)).toMatchObject({ to: "open", retryInMs: 10_000 });
    expect(await outcome(bench)).toBe("CIRCUIT_OPEN");
  });

  it("lets as many probes through at once as the options say", async () => {
    const bench = await readyBench({ ...NO_RETRY, breaker: { probes: 3 } });
    for (let call = 0; call < 5; call++) await failed(bench);
    await bench.advance(5_000);

    for (let call = 0; call < 10; call++) await bench.unary();

    expect(bench.network.calls).toHaveLength(8);
  });
});

describe("fifty calls at once through a closed breaker", () => {
  it("all overlap (G26)", async () => {
    const bench = await readyBench(NO_RETRY);

    const calls = await Promise.all(Array.from({ length: 50 }, () => bench.unary()));
    const atOnce = bench.channel.endpoints()[0]?.callsInFlight;
    for (const call of bench.network.calls) call.ok();
    await bench.settle();

    expect(atOnce).toBe(50);
    expect(calls.every(({ status: { code } }) => code === status.OK)).toBe(true);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });
});

describe("isolate()", () => {
  it("takes an endpoint out of use until it is disposed; calls that run there go on", async () => {
    const bench = await readyBench(NO_RETRY, { addresses: [A, B] });
    const running = await bench.unary();
    const busy = bench.network.current.peer;
    const other = busy === A ? B : A;

    const isolation = bench.channel.isolate(busy);
    const during = [await outcome(bench), await outcome(bench), await outcome(bench)];
    bench.network.call(0).ok();
    await bench.settle();
    isolation.dispose();
    isolation.dispose();
    const after = [await outcome(bench), await outcome(bench)];

    expect(running.status.code).toBe(status.OK);
    expect(during).toEqual([other, other, other]);
    expect(after.toSorted()).toEqual([A, B]);
  });

  it("ends with the block of a using declaration", async () => {
    const bench = await readyBench(NO_RETRY);
    const isolation = bench.channel.isolate(A);
    const during = await outcome(bench);

    isolation[Symbol.dispose]();

    expect([during, await outcome(bench)]).toEqual(["CIRCUIT_OPEN", A]);
  });

  it("says in the error that it was done by hand, and gives no time", async () => {
    const bench = await readyBench(NO_RETRY);
    bench.channel.isolate(A);

    const { status: error } = await bench.unary();

    expect(error.details).toContain("isolated by hand");
    expect(error).not.toHaveProperty("retryAt");
  });

  it("lets calls that wait for ready go when it ends", async () => {
    const bench = await readyBench(NO_RETRY);
    const isolation = bench.channel.isolate(A);
    const waiting = await bench.unary({ metadata: new Metadata({ waitForReady: true }) });

    isolation.dispose();
    await bench.settle();
    bench.network.current.ok();
    await bench.settle();

    expect(waiting.status.code).toBe(status.OK);
  });

  it("keeps its hold over lost connections, and two holders must both let go", async () => {
    const bench = await readyBench(NO_RETRY, { addresses: [A, B] });
    const [first, second] = [bench.channel.isolate(A), bench.channel.isolate(A)];

    bench.network.last(A).lose();
    await bench.advance(2_000);
    first.dispose();
    const during = [await outcome(bench), await outcome(bench)];
    second.dispose();
    const after = [await outcome(bench), await outcome(bench)];

    expect(during).toEqual([B, B]);
    expect(after.toSorted()).toEqual([A, B]);
  });

  it('holds for every method under scope "method", those already called as well', async () => {
    const bench = await readyBench({ ...NO_RETRY, breaker: { scope: "method" } });
    await answered(bench, GET);

    const isolation = bench.channel.isolate(A);
    const during = [await outcome(bench, GET), await outcome(bench, PUT)];
    isolation.dispose();

    expect(during).toEqual(["CIRCUIT_OPEN", "CIRCUIT_OPEN"]);
    expect(await outcome(bench, PUT)).toBe(A);
  });

  it("refuses an address that is no endpoint, and a channel without breakers, in words", async () => {
    const [bench, without] = [await readyBench(), await readyBench({ breaker: false })];

    expect(() => bench.channel.isolate("10.9.9.9:1")).toThrow(/"10\.9\.9\.9:1" is no endpoint/);
    expect(() => without.channel.isolate(A)).toThrow(/breaker is false/);
  });

  it("takes an address in any spelling of it", async () => {
    const bench = await readyBench({}, { addresses: ["Kv.Example:1"], lookup: async () => ["10.0.0.1"] });

    expect(() => bench.channel.isolate("KV.example:1").dispose()).not.toThrow();
  });

  it("works before the first call", async () => {
    const { channel } = await readyBench({}, { addresses: [A] });
    channel.isolate(A);

    expect(channel.endpoints()[0]?.breaker).toBe("open");
  });
});
