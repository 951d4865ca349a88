import { describe, expect, it } from "vitest";
import { settle } from "../support/manual-clock.js";
import { A, B, C, PoolBench } from "./pool-bench.js";

describe("a pick", () => {
  it("B14: spreads calls over all ready endpoints in turn", async () => {
    const bench = await new PoolBench().connected(A, B, C);

    const picks = bench.picks(6);

    expect([...picks].sort()).toEqual([A, A, B, B, C, C]);
    expect(new Set(picks.slice(0, 3)).size).toBe(3);
  });

  it("C27: avoids endpoints that the call has failed on while another one is usable", async () => {
    const bench = await new PoolBench().connected(A, B, C);

    expect(bench.picks(3, [A, B])).toEqual([C, C, C]);
  });

  it("uses an endpoint tried before rather than none", async () => {
    const bench = await new PoolBench().connected(A);

    expect(bench.picks(1, [A])).toEqual([A]);
  });

  it("passes over an open breaker while another endpoint is usable (R104)", async () => {
    const bench = await new PoolBench().connected(A, B);
    bench.gate(A).isOpen = true;

    expect(bench.picks(3)).toEqual([B, B, B]);
    expect(bench.picks(1, [B])).toEqual([B]);
  });

  it("fails with CIRCUIT_OPEN when every breaker is open, unless the call waits for READY (R104)", async () => {
    const bench = await new PoolBench().connected(A);
    bench.gate(A).isOpen = true;

    expect(bench.picks(1)).toEqual(["CIRCUIT_OPEN"]);
    expect(bench.picks(1, [], true)).toEqual(["queue"]);
  });

  it("goes elsewhere when a connection has all its streams in use, and waits when all have", async () => {
    const bench = await new PoolBench({ maxStreamsPerConnection: 1 }).connected(A, B);

    bench.connection(A).callStarted();
    expect(bench.picks(2)).toEqual([B, B]);

    bench.connection(B).callStarted();
    expect(bench.picks(1)).toEqual(["queue"]);

    bench.connection(A).callEnded();
    expect(bench.picks(1)).toEqual([A]);
  });

  it("goes to a suspect connection only when nothing else is usable", async () => {
    const bench = await new PoolBench({ maxStreamsPerConnection: 1 }).connected(A, B);
    bench.subchannel(A).suspect(bench.connection(A), "silence");

    expect(bench.picks(3)).toEqual([B, B, B]);
    expect(bench.picks(1, [B])).toEqual([B]);

    bench.connection(B).callStarted();
    expect(bench.picks(1)).toEqual([A]);
  });

  it("waits for an endpoint that is being connected rather than use a suspect one", async () => {
    const bench = new PoolBench();
    bench.network.plan(B, "hang");
    await bench.connected(A, B);
    bench.subchannel(A).suspect(bench.connection(A), "silence");
    expect(bench.picks(1)).toEqual(["queue"]);

    await bench.network.last(B).accept();
    await settle();

    expect(bench.picks(2)).toEqual([B, B]);
  });

  it("uses a suspect one when the others have failed", async () => {
    const bench = new PoolBench();
    bench.network.plan(B, "refuse");
    await bench.connected(A, B);

    bench.subchannel(A).suspect(bench.connection(A), "silence");

    expect(bench.picks(1)).toEqual([A]);
  });

  it("prefers, where all are suspect, the one that answered last", async () => {
    const bench = await new PoolBench().connected(A, B);
    bench.subchannel(A).standing.lastSuccessAt = 10;
    bench.subchannel(B).standing.lastSuccessAt = 20;

    for (const address of [A, B]) bench.subchannel(address).suspect(bench.connection(address), "silence");

    expect(bench.picks(2)).toEqual([B, B]);
  });

  it("comes back to a connection that was suspect and is verified", async () => {
    const bench = await new PoolBench().connected(A, B);
    bench.subchannel(A).suspect(bench.connection(A), "silence");
    await settle();

    bench.network.last(A).checks[0]?.ok();
    await settle();

    expect([...bench.picks(2)].sort()).toEqual([A, B]);
    expect(bench.pool.subchannels.some(({ isSuspect }) => isSuspect)).toBe(false);
  });
});

describe("pick_first", () => {
  it("sends every call to the same endpoint", async () => {
    const bench = await new PoolBench({ loadBalancing: "pick_first" }).connected(A, B);

    expect(bench.picks(4)).toEqual([A, A, A, A]);
    expect(bench.network.dialsOf(B)).toHaveLength(0);
  });

  it("sticks to the endpoint it uses when an earlier one comes back", async () => {
    const bench = new PoolBench({ loadBalancing: "pick_first" });
    bench.network.plan(A, "refuse", "ready");
    await bench.connected(A, B);
    expect(bench.picks(1)).toEqual([B]);

    await bench.clock.advance(10_000);

    expect(bench.picks(2)).toEqual([B, B]);
  });

  it("moves on when the connection is lost and cannot be had again", async () => {
    const bench = await new PoolBench({ loadBalancing: "pick_first" }).connected(A, B);
    bench.network.plan(A, "refuse");
    await bench.clock.advance(60_000);

    bench.network.last(A).lose();
    await settle();

    expect(bench.picks(1)).toEqual([B]);
  });
});
