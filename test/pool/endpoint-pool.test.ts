import { describe, expect, it } from "vitest";
import { settle } from "../support/manual-clock.js";
import { A, B, C, PoolBench } from "./pool-bench.js";

describe("connecting", () => {
  it("C03: does no I/O before it is asked to, and says IDLE", async () => {
    const bench = new PoolBench();
    bench.set(A, B);
    await settle();

    expect(bench.network.dials).toHaveLength(0);
    expect(bench.words).toEqual(["IDLE"]);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("R108: connects every endpoint at once under round_robin", async () => {
    const bench = await new PoolBench().connected(A, B, C);

    expect(bench.states).toEqual(["READY", "READY", "READY"]);
    expect(bench.words).toEqual(["CONNECTING", "READY"]);
  });

  it("connects one endpoint at a time under pick_first, and the next when it fails", async () => {
    const bench = new PoolBench({ loadBalancing: "pick_first" });
    bench.network.plan(A, "refuse");
    await bench.connected(A, B, C);

    expect(bench.states).toEqual(["IDLE", "READY", "IDLE"]);
  });

  it("connects no more than maxConnectedEndpoints, and a further one for each that fails", async () => {
    const bench = new PoolBench({ maxConnectedEndpoints: 1 });
    bench.network.plan(A, "refuse");
    await bench.connected(A, B, C);

    expect(bench.states).toEqual(["TRANSIENT_FAILURE", "READY", "IDLE"]);
  });

  it("R108: dials again at once when a connection that has lived is lost, and asks for fresh addresses", async () => {
    const bench = await new PoolBench().connected(A, B);
    await bench.clock.advance(60_000);

    bench.network.last(A).lose("read ECONNRESET");
    await settle();

    expect(bench.network.dialsOf(A)).toHaveLength(2);
    expect(bench.states).toEqual(["READY", "READY"]);
    expect(bench.troubles).toBe(1);
    expect(bench.gate(A).failures).toBe(1);
  });

  it("C12: asks for fresh addresses once when a server says goodbye, and blames nobody (R71)", async () => {
    const bench = await new PoolBench().connected(A);
    await bench.clock.advance(60_000);

    bench.network.last(A).goaway();
    await settle();

    expect(bench.troubles).toBe(1);
    expect(bench.gate(A).failures).toBe(0);
    expect(bench.states).toEqual(["READY"]);
  });

  it("counts each failed dial against the endpoint's breaker, and asks for fresh addresses", async () => {
    const bench = new PoolBench();
    bench.network.plan(A, "refuse");
    await bench.connected(A);
    await bench.clock.advance(1_000);

    expect(bench.gate(A).failures).toBe(2);
    expect(bench.troubles).toBe(2);
  });
});

describe("idling, closing, destroying", () => {
  it("B19: closes every connection when idle, and connects again when asked", async () => {
    const bench = await new PoolBench().connected(A, B);

    bench.pool.enterIdle();
    await settle();
    expect(bench.states).toEqual(["IDLE", "IDLE"]);
    expect(bench.openSockets).toBe(0);
    expect(bench.words.at(-1)).toBe("IDLE");
    expect(bench.clock.pendingTimers).toBe(0);

    bench.pool.connect();
    await settle();
    expect(bench.states).toEqual(["READY", "READY"]);
    expect(bench.openSockets).toBe(2);
  });

  it("is no longer in backoff after idling", async () => {
    const bench = new PoolBench();
    bench.network.plan(A, "refuse");
    await bench.connected(A);

    bench.pool.enterIdle();
    await bench.clock.advance(60_000);

    expect(bench.network.dials).toHaveLength(1);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("B16: leaves nothing behind after a drain without calls", async () => {
    const bench = new PoolBench();
    bench.network.plan(B, "refuse");
    bench.network.plan(C, "hang");
    await bench.connected(A, B, C);

    bench.pool.drain(0);
    await settle();

    expect(bench.openSockets).toBe(0);
    expect(bench.clock.pendingTimers).toBe(0);
    expect(bench.pool.subchannels).toEqual([]);
  });

  it("ends running calls at once when destroyed", async () => {
    const bench = await new PoolBench().connected(A);
    bench.connection(A).callStarted();

    bench.pool.destroy();

    expect(bench.openSockets).toBe(0);
  });

  it("R60: resetBackoff dials every waiting endpoint now", async () => {
    const bench = new PoolBench();
    bench.network.plan(A, "refuse", "ready");
    bench.network.plan(B, "refuse", "ready");
    await bench.connected(A, B);

    bench.pool.resetBackoff();
    await settle();

    expect(bench.states).toEqual(["READY", "READY"]);
  });
});

describe("the events of an endpoint", () => {
  it("tell every state with its cause, and when the next dial comes", async () => {
    const bench = new PoolBench();
    bench.network.plan(A, "refuse");
    await bench.connected(A);

    expect(bench.events).toEqual([
      { type: "endpoint.state", endpoint: A, from: "IDLE", to: "CONNECTING" },
      {
        type: "endpoint.state",
        endpoint: A,
        from: "CONNECTING",
        to: "TRANSIENT_FAILURE",
        cause: `connect ECONNREFUSED ${A}`,
        retryInMs: 800,
      },
    ]);
  });

  it("tell a loss with the number of calls on it", async () => {
    const bench = await new PoolBench().connected(A);
    bench.connection(A).callStarted();
    bench.events.length = 0;

    bench.network.last(A).lose("read ECONNRESET");
    await settle();

    expect(bench.events).toContainEqual({
      type: "connection.lost",
      endpoint: A,
      cause: "read ECONNRESET",
      callsInFlight: 1,
    });
  });
});
