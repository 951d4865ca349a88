import { describe, expect, it } from "vitest";
import { settle } from "../support/manual-clock.js";
import { A, B, C, PoolBench } from "./pool-bench.js";

describe("a new set of endpoints", () => {
  it("R112: keeps the connections of those that stay, connects the new and drains the removed", async () => {
    const bench = await new PoolBench().connected(A, B);
    const kept = bench.connection(B);
    const gone = bench.connection(A);

    const change = bench.set(B, C);
    await settle();

    expect(change).toEqual({ added: [C], removed: [A] });
    expect(bench.connection(B)).toBe(kept);
    expect(gone.state).toBe("closed");
    expect(bench.states).toEqual(["READY", "READY"]);
    expect(bench.network.dialsOf(B)).toHaveLength(1);
  });

  it("R112: keeps a breaker's memory with its endpoint", async () => {
    const bench = await new PoolBench().connected(A, B);
    bench.gate(A).isOpen = true;

    bench.set(A, C);
    await settle();

    expect(bench.picks(2)).toEqual([C, C]);
  });

  it("lets the running calls of a removed endpoint finish, and sends no new ones there", async () => {
    const bench = await new PoolBench({ drainMs: 5_000 }).connected(A, B);
    const gone = bench.connection(A);
    gone.callStarted();

    bench.set(B);

    expect(bench.picks(3)).toEqual([B, B, B]);
    expect(gone.state).toBe("draining");
    await bench.clock.advance(5_000);
    expect(gone.state).toBe("closed");
  });

  it("tells of the drain that begins only where calls are running", async () => {
    const bench = await new PoolBench().connected(A, B, C);
    bench.connection(A).callStarted();

    bench.set(C);

    const draining = bench.events.filter(({ type }) => type === "connection.draining");
    expect(draining).toEqual([
      { type: "connection.draining", endpoint: A, cause: "removed from the endpoint set" },
    ]);
  });

  it("follows the resolver's order, for pick_first to honour", async () => {
    const bench = await new PoolBench().connected(A, B);

    const change = bench.set(B, A);

    expect(change).toEqual({ added: [], removed: [] });
    expect(bench.pool.subchannels.map(({ endpoint }) => endpoint.address)).toEqual([B, A]);
  });

  it("R110: never makes two connections of one address", async () => {
    const bench = await new PoolBench().connected(A, A);

    expect(bench.network.dials).toHaveLength(1);
    expect(bench.pool.subchannels).toHaveLength(1);
  });

  it("ends the dial of an endpoint that is removed while connecting", async () => {
    const bench = new PoolBench();
    bench.network.plan(A, "hang");
    await bench.connected(A, B);

    bench.set(B);
    await bench.clock.advance(60_000);

    expect(bench.network.last(A).socket.destroyed).toBe(true);
    expect(bench.network.dialsOf(A)).toHaveLength(1);
    expect(bench.clock.pendingTimers).toBe(0);
  });
});
