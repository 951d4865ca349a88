import { Metadata } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import type { Connection } from "../../src/pool/connection.js";
import type { KeeperDeps } from "../../src/pool/dialled-connections.js";
import type { FakeCall } from "../support/fake-call.js";
import { settle } from "../support/manual-clock.js";
import { fixedRandom } from "../support/seeded-random.js";
import { ADDRESS, CHECK_TIMEOUT_MS, SubchannelBench } from "./subchannel-bench.js";

function several(options: Partial<KeeperDeps>): Promise<SubchannelBench> {
  return new SubchannelBench(undefined, undefined, options).dialled();
}

/** A call on the connection that one would get now. */
function call(bench: SubchannelBench, connection: Connection | null = bench.subchannel.free()): FakeCall {
  if (connection === null) throw new Error("no connection has room");
  const inner = connection.createCall("/test.Echo/Say", Number.POSITIVE_INFINITY, undefined) as FakeCall;
  const onReceiveStatus = (): void => connection.callEnded();
  inner.start(new Metadata(), { onReceiveMetadata() {}, onReceiveMessage() {}, onReceiveStatus });
  connection.callStarted();
  return inner;
}

function calls(bench: SubchannelBench): number[] {
  return bench.subchannel.connections.map(({ inFlight }) => inFlight);
}

describe("a further connection (R76)", () => {
  it("is opened only when all are full, and no more than the most that are allowed", async () => {
    const bench = await several({ maxConnections: 2, maxStreamsPerConnection: 1 });
    expect(bench.subchannel.grow()).toBe(false);
    call(bench);

    expect(bench.subchannel.grow()).toBe(true);
    await settle();
    expect(bench.subchannel.grow()).toBe(false);
    call(bench);
    expect(bench.subchannel.grow()).toBe(false);

    expect(bench.network.dials).toHaveLength(2);
    expect(calls(bench)).toEqual([1, 1]);
  });

  it("is the only one on its way, while it is dialled and while that is waited for", async () => {
    const bench = await several({ maxConnections: 3, maxStreamsPerConnection: 1 });
    call(bench);
    bench.network.plan(ADDRESS, "hang", "ready");
    expect(bench.subchannel.grow()).toBe(true);
    await settle();
    expect(bench.subchannel.grow()).toBe(false);

    bench.dial.refuse();
    await settle();
    expect(bench.subchannel.grow()).toBe(false);
    await bench.clock.advance(1_000);

    expect(bench.network.dials).toHaveLength(3);
    expect(calls(bench)).toEqual([1, 0]);
  });

  it("that cannot be had leaves the endpoint READY, and nobody takes it for a failure of the endpoint (R79)", async () => {
    const bench = await several({ maxConnections: 2, maxStreamsPerConnection: 1 });
    call(bench);
    bench.network.plan(ADDRESS, "refuse");

    bench.subchannel.grow();
    await settle();

    expect(bench.words).toEqual(["IDLE", "CONNECTING", "READY"]);
    expect(bench.subchannel.aggregateState).toBe("READY");
  });

  it("is kept when it is needed no more, and given back when the endpoint goes idle (R77)", async () => {
    const bench = await several({ maxConnections: 2, maxStreamsPerConnection: 1 });
    const running = call(bench);
    bench.subchannel.grow();
    await settle();
    running.okTrailers();
    await bench.clock.advance(600_000);
    expect(bench.subchannel.connections).toHaveLength(2);

    bench.subchannel.drain("idle");
    await bench.dialled();

    expect(bench.subchannel.connections).toHaveLength(1);
    expect(bench.openSockets).toBe(1);
  });

  it("is told of as room for calls that wait (R78)", async () => {
    const bench = await several({ maxConnections: 2, maxStreamsPerConnection: 1 });
    call(bench);
    const before = bench.rooms;

    bench.subchannel.grow();
    await settle();

    expect(bench.rooms).toBe(before + 1);
  });
});

describe("of several connections", () => {
  it("D19: the one with the fewest calls is taken, in turn where several have as few", async () => {
    const bench = await several({ minConnections: 3, maxConnections: 3 });
    const all = [...bench.subchannel.connections];
    const first = Array.from({ length: 6 }, () => bench.subchannel.free());
    expect(new Set(first)).toEqual(new Set(all));

    for (let count = 0; count < 7; count++) call(bench);

    expect(calls(bench).sort()).toEqual([2, 2, 3]);
  });

  it("none is taken that has as many calls as it may", async () => {
    const bench = await several({ minConnections: 2, maxConnections: 2, maxStreamsPerConnection: 2 });

    for (let count = 0; count < 4; count++) call(bench);

    expect(calls(bench)).toEqual([2, 2]);
    expect(bench.subchannel.free()).toBeNull();
  });

  it("all are dialled one after the other, and the first READY one makes the endpoint READY (R79)", async () => {
    const bench = new SubchannelBench(undefined, undefined, { minConnections: 3, maxConnections: 3 });
    await bench.dialled("ready", "hang");
    expect(bench.subchannel.state).toBe("READY");
    expect(bench.openDials).toBe(1);

    bench.network.plan(ADDRESS, "ready");
    await bench.dial.accept();
    await settle();

    expect(bench.subchannel.connections).toHaveLength(3);
    expect(bench.words).toEqual(["IDLE", "CONNECTING", "READY"]);
  });

  it("one that is lost ends its own calls, counts once, and is dialled again while the others serve (R79)", async () => {
    const bench = await several({ minConnections: 2, maxConnections: 2 });
    await bench.clock.advance(5_000);
    const [lost, kept] = [call(bench), call(bench)];
    const victim = bench.network.dials.find((dial) => dial.calls.includes(lost));

    victim?.lose("read ECONNRESET");
    await settle();

    expect([lost.isEnded, kept.isEnded]).toEqual([true, false]);
    expect(bench.losses).toEqual([{ cause: "read ECONNRESET", callsInFlight: 1 }]);
    expect(bench.subchannel.connections).toHaveLength(2);
    expect(bench.network.dials).toHaveLength(3);
    expect(bench.words.at(-1)).toBe("READY");
  });

  it("the endpoint is IDLE when the last is gone and none is on its way, and in failure while one is waited for (R79)", async () => {
    const bench = await several({ minConnections: 2, maxConnections: 2 });
    await bench.clock.advance(200);
    bench.network.plan(ADDRESS, "refuse");

    for (const dial of bench.network.dials.slice(0, 2)) dial.lose();
    await settle();
    expect(bench.subchannel.state).toBe("TRANSIENT_FAILURE");
    expect(bench.subchannel.aggregateState).toBe("CONNECTING");
    await bench.clock.advance(1_000);

    expect(bench.subchannel.aggregateState).toBe("TRANSIENT_FAILURE");
  });

  it("one that gets a GOAWAY takes no more calls, and another takes its place (R72, R74)", async () => {
    const bench = await several({ minConnections: 2, maxConnections: 2 });
    await bench.clock.advance(5_000);
    const running = call(bench);
    await settle();
    const leaving = bench.network.dials.find((dial) => dial.calls.includes(running));

    leaving?.goaway();
    await settle();
    for (let count = 0; count < 4; count++) call(bench);

    expect(leaving?.calls).toEqual([running]);
    expect(bench.subchannel.connections).toHaveLength(2);
    expect(running.isEnded).toBe(false);
  });
});

describe("a connection that is replaced", () => {
  it("for its age stays in use until the next one stands, and then lets its calls finish", async () => {
    const bench = await several({ maxConnectionAgeMs: 10_000 });
    const running = call(bench);
    bench.network.plan(ADDRESS, "hang");
    bench.subchannel.checkAge(bench.clock.now() + 9_999);
    expect(bench.network.dials).toHaveLength(1);

    await bench.clock.advance(10_000);
    bench.subchannel.checkAge(bench.clock.now());
    await settle();
    const late = call(bench);
    await bench.dial.accept();
    await settle();
    const next = call(bench);

    expect(bench.network.dials[0]?.calls).toEqual([running, late]);
    expect(bench.network.dials[1]?.calls).toEqual([next]);
    expect(bench.drains).toEqual(["age"]);
    expect([running.isEnded, late.isEnded]).toEqual([false, false]);
    expect(bench.words.at(-1)).toBe("READY");
  });

  it.each([
    [0, 9_000],
    [0.999_999, 11_000],
  ])("for its age is so at its own time, at chance %d after %d ms", async (chance, ageMs) => {
    const bench = await several({ maxConnectionAgeMs: 10_000, random: fixedRandom(chance) });
    const readyAt = bench.connection.readyAt;

    bench.subchannel.checkAge(readyAt + ageMs - 1);
    expect(bench.network.dials).toHaveLength(1);
    bench.subchannel.checkAge(readyAt + ageMs);

    expect(bench.subchannel.connections).toHaveLength(1);
    await settle();
    expect(bench.network.dials).toHaveLength(2);
  });

  it("is not dialled for twice, however often it is looked at", async () => {
    const bench = await several({ maxConnectionAgeMs: 10_000 });
    bench.network.plan(ADDRESS, "hang");
    await bench.clock.advance(11_000);

    for (let look = 0; look < 3; look++) bench.subchannel.checkAge(bench.clock.now());
    await settle();

    expect(bench.network.dials).toHaveLength(2);
  });

  it("stays where its successor cannot be had, and goes when it can", async () => {
    const bench = await several({ maxConnectionAgeMs: 10_000 });
    const [old] = bench.network.dials;
    bench.network.plan(ADDRESS, "refuse", "ready");
    await bench.clock.advance(11_000);

    bench.subchannel.checkAge(bench.clock.now());
    await settle();
    expect([bench.subchannel.state, bench.subchannel.connections.length]).toEqual(["READY", 1]);
    expect(bench.subchannel.free()).not.toBeNull();
    await bench.clock.advance(2_000);

    expect(old?.socket.destroyed).toBe(true);
    expect(bench.openSockets).toBe(1);
  });

  it("makes room for one of several at a time, so that there are never fewer than are wanted", async () => {
    const bench = await several({ minConnections: 3, maxConnections: 3 });
    const old = [...bench.network.dials];
    const least: number[] = [];
    bench.network.plan(ADDRESS, "hang");

    bench.subchannel.rotate("new certificates");
    for (let next = 0; next < 3; next++) {
      await settle();
      least.push(bench.subchannel.connections.length);
      await bench.dial.accept();
    }
    await settle();

    expect(least).toEqual([3, 3, 3]);
    expect(bench.network.dials).toHaveLength(6);
    expect(old.every((dial) => dial.socket.destroyed)).toBe(true);
    expect(bench.openSockets).toBe(3);
  });

  it("D18: after as many calls as one connection may carry lets the last ones finish elsewhere than the next", async () => {
    const bench = await several({ maxCallsPerConnection: 3 });
    for (let count = 0; count < 2; count++) call(bench);
    expect(bench.network.dials).toHaveLength(1);

    call(bench);
    await settle();
    call(bench);

    expect(bench.network.dials.map((dial) => dial.calls.length)).toEqual([3, 1]);
    expect(bench.drains).toEqual(["maxCallsPerConnection"]);
  });
});

describe("doubts about several connections", () => {
  it("one that is silent puts all in question, and each is asked by itself", async () => {
    const bench = await several({ minConnections: 2, maxConnections: 2 });
    const [first] = bench.subchannel.connections;

    first?.noteTimeout(bench.clock.now(), first.bytesRead);
    await settle();

    expect(bench.network.dials.map((dial) => dial.checks.length)).toEqual([1, 1]);
    expect(bench.subchannel.free()).toBeNull();
    expect(bench.doubts.map(({ type }) => type)).toEqual(["connection.suspect"]);
  });

  it("those that answer serve at once, though another stays silent", async () => {
    const bench = await several({ minConnections: 2, maxConnections: 2 });
    bench.subchannel.verify("a pause");
    await settle();
    expect(bench.subchannel.aggregateState).toBe("CONNECTING");

    bench.network.dials[1]?.checks[0]?.ok();
    await settle();

    expect(bench.subchannel.aggregateState).toBe("READY");
    expect(bench.subchannel.free()).toBe(bench.subchannel.connections[1]);
  });

  it("one fresh dial answers for all that stayed silent, and the missing ones follow", async () => {
    const bench = await several({ minConnections: 2, maxConnections: 2 });
    const silent = bench.network.dials.slice(0, 2);
    bench.subchannel.verify("a pause");

    await bench.clock.advance(CHECK_TIMEOUT_MS);

    expect(silent.map((dial) => dial.isClosed)).toEqual([true, true]);
    expect(bench.network.dials).toHaveLength(4);
    expect(bench.subchannel.connections).toHaveLength(2);
    expect(bench.subchannel.aggregateState).toBe("READY");
  });

  it("a fresh dial that fails ends all that stayed silent, each told as its own loss", async () => {
    const bench = await several({ minConnections: 2, maxConnections: 2 });
    bench.network.plan(ADDRESS, "refuse");
    const running = [call(bench), call(bench)];
    bench.subchannel.verify("a pause");

    await bench.clock.advance(CHECK_TIMEOUT_MS);

    expect(running.map(({ isEnded }) => isEnded)).toEqual([true, true]);
    expect(bench.losses.map(({ callsInFlight }) => callsInFlight)).toEqual([1, 1]);
    expect(bench.subchannel.aggregateState).toBe("TRANSIENT_FAILURE");
    expect(bench.openSockets).toBe(0);
  });

  it("are over with the endpoint, and leave no timer", async () => {
    const bench = await several({ minConnections: 2, maxConnections: 2 });
    bench.subchannel.verify("a pause");
    await settle();

    bench.subchannel.destroy();
    await settle();
    for (const dial of bench.network.dials) for (const check of dial.checks) check.fail(14);
    await settle();

    expect(bench.clock.pendingTimers).toBe(0);
    expect(bench.openSockets).toBe(0);
  });
});
