import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { A, B, C, ChannelBench, NOTHING_LEFT, readyBench } from "../support/channel-bench.js";

describe("endpoints() and stats()", () => {
  it("are plain JSON, with every field a dashboard asks for", async () => {
    const bench = await readyBench({}, { addresses: [A] });
    bench.channel.updateEndpoints([
      { address: A, weight: 2, zone: "z", priority: 1, metadata: { rack: "7" } },
    ]);
    await bench.unary();
    await bench.advance(50);
    bench.network.current.ok();
    await bench.unary();

    const { endpoints, ...rest } = bench.channel.stats();

    expect(JSON.parse(JSON.stringify(bench.channel.stats()))).toEqual(bench.channel.stats());
    expect(bench.channel.endpoints()).toEqual(endpoints);
    expect(endpoints).toEqual([
      {
        address: A,
        priority: 1,
        weight: 2,
        zone: "z",
        metadata: { rack: "7" },
        state: "READY",
        connections: 1,
        health: null,
        isSuspect: false,
        breaker: "closed",
        isEjected: false,
        isIsolated: false,
        callsInFlight: 1,
        picks: 2,
        latencyMs: 50,
        retryInMs: null,
        lastError: null,
      },
    ]);
    expect(rest).toMatchObject({
      mode: "pool",
      state: "READY",
      callsInFlight: 1,
      callsQueued: 0,
      calls: { started: 2, succeeded: 1, failed: 0, attempts: 2, retries: 0 },
      failures: [],
      throttle: { tokens: 20, maxTokens: 20 },
    });
  });

  it("say IDLE before the first call and know no endpoint yet, SHUTDOWN after the end, and never throw", async () => {
    const bench = new ChannelBench();

    const before = bench.channel.stats();
    bench.channel.destroy();
    const after = bench.channel.stats();

    expect([before.state, before.endpoints, after.state, after.endpoints]).toEqual([
      "IDLE",
      [],
      "SHUTDOWN",
      [],
    ]);
  });

  it("use gRPC's five words for states: here the first four, side by side", async () => {
    const bench = new ChannelBench({ maxConnectedEndpoints: 2 }, { addresses: [A, B, C, "10.0.0.4:1"] });
    bench.network.plan(B, "hang");
    bench.network.plan(C, "refuse");
    await bench.ready();
    const words = (): string[] => bench.channel.endpoints().map(({ state }) => state);

    const first = words();
    bench.network.last(B).refuse();
    await bench.settle();

    expect(first).toEqual(["READY", "CONNECTING", "IDLE", "IDLE"]);
    expect(words()).toEqual(["READY", "TRANSIENT_FAILURE", "TRANSIENT_FAILURE", "READY"]);
  });

  it("tell of the last error of a connection with its time, and when the next dial is", async () => {
    const bench = new ChannelBench();
    bench.network.plan(A, "refuse");
    await bench.ready();
    await bench.advance(300);

    const [endpoint] = bench.channel.endpoints();

    expect(endpoint).toMatchObject({ state: "TRANSIENT_FAILURE", connections: 0, retryInMs: 700 });
    expect(endpoint?.lastError).toEqual({
      text: `connect ECONNREFUSED ${A}`,
      at: new Date(bench.clock.epoch() - 300).toISOString(),
    });
  });

  it("keep the last error after a reconnect, so that one can see what it was", async () => {
    const bench = await readyBench();
    bench.network.last(A).lose("read ECONNRESET");
    await bench.advance(2_000);

    const [endpoint] = bench.channel.endpoints();

    expect(endpoint).toMatchObject({ state: "READY", connections: 1, retryInMs: null });
    expect(endpoint?.lastError?.text).toContain("ECONNRESET");
  });

  it("count the connections of all lanes, and what leads to one endpoint once", async () => {
    const bench = await readyBench({ poolSize: 2, separateStreams: true }, { addresses: [A] });

    await bench.unary();

    expect(bench.channel.endpoints()).toMatchObject([{ connections: 2, callsInFlight: 1, picks: 1 }]);
  });

  it("count picks of every attempt, retries included", async () => {
    const bench = await readyBench({ methods: { "test.Echo": { idempotent: true } } }, { addresses: [A, B] });
    await bench.unary();
    bench.network.current.fail(status.UNAVAILABLE);
    await bench.advance(2_000);
    bench.network.current.ok();
    await bench.settle();

    const picks = bench.channel.endpoints().map((endpoint) => endpoint.picks);

    expect(picks).toEqual([1, 1]);
    expect(bench.channel.stats().calls).toMatchObject({ started: 1, attempts: 2, retries: 1 });
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("forget an endpoint that is gone: one that comes back begins anew", async () => {
    const bench = await readyBench({ retry: false }, { addresses: [A, B] });
    for (let call = 0; call < 12; call++) {
      await bench.unary();
      bench.network.current.fail(status.UNAVAILABLE);
      await bench.settle();
    }
    const before = bench.channel.endpoints().map(({ picks }) => picks > 0);

    bench.channel.updateEndpoints([B]);
    const failures = bench.channel.stats().failures.map(({ endpoint }) => endpoint);
    bench.channel.updateEndpoints([A, B]);

    expect(before).toEqual([true, true]);
    expect(failures).not.toContain(A);
    expect(bench.channel.endpoints()[0]).toMatchObject({
      address: A,
      breaker: "closed",
      picks: 0,
      latencyMs: null,
      lastError: null,
    });
  });
});
