import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import { ScriptedLookup } from "../discovery/dns/scripted-lookup.js";
import { settle } from "../support/manual-clock.js";
import { A, B, C, LanesBench, pickedBy, slotOf } from "./lanes-bench.js";

const TWO = `static:///${A},${B}`;

describe("B07, E20: compression per call", () => {
  it("costs no connection until a call asks for it", async () => {
    const bench = await new LanesBench({}, TWO).awake();

    expect(bench.backend.transportFor(undefined, false)).toBe(bench.backend.transport);
    expect(bench.backend.transportFor("identity", false)).toBe(bench.backend.transport);
    await settle();

    expect(bench.compressions).toEqual(["identity", "identity"]);
  });

  it("gets connections of its own to the same endpoints, once for all calls that ask for it", async () => {
    const bench = new LanesBench({}, TWO);
    const lane = await bench.withLane("gzip");

    expect(bench.backend.transportFor("gzip", false)).toBe(lane);
    await settle();

    expect(bench.compressions).toEqual(["identity", "identity", "gzip", "gzip"]);
    expect([pickedBy(lane), pickedBy(lane)].sort()).toEqual([A, B]);
    const slot = slotOf(lane);
    slot.createCall("/test.Echo/Say", Number.POSITIVE_INFINITY, undefined);
    expect(bench.dialled("gzip").map(({ calls }) => calls.length)).toContain(1);
    expect(bench.dialled("identity").map(({ calls }) => calls.length)).toEqual([0, 0]);
  });

  it("is what the channel says for calls that ask for nothing", async () => {
    const bench = await new LanesBench({ compression: "gzip" }).awake();

    expect(bench.backend.transportFor("gzip", false)).toBe(bench.backend.transport);
    const plain = bench.backend.transportFor("identity", false);
    await settle();

    expect(plain).not.toBe(bench.backend.transport);
    expect(bench.compressions).toEqual(["gzip", "identity"]);
  });

  it("connects only with a call, like the channel itself", async () => {
    const bench = new LanesBench();
    bench.backend.updateEndpoints([A]);

    bench.backend.transportFor("gzip", false);
    await settle();
    expect(bench.dials).toHaveLength(0);
    await bench.awake();

    expect(bench.compressions).toEqual(["identity", "gzip"]);
  });

  it("does not hold the async context of the call that was the first to ask", async () => {
    const store = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const lookup = (): Promise<string[]> => {
      seen.push(store.getStore());
      return Promise.resolve(["10.0.0.1"]);
    };
    const bench = await new LanesBench({}, "static:///users:1", lookup).awake();

    store.run("one call", () => bench.backend.transportFor("gzip", false));
    await settle();

    expect(seen).toEqual([undefined, undefined]);
  });
});

describe("the state of a channel with several kinds of compression", () => {
  it("is that of its default, whatever becomes of the others", async () => {
    const bench = await new LanesBench().awake();
    bench.network.plan(A, "refuse");

    const lane = bench.backend.transportFor("gzip", false);
    await settle();

    expect(pickedBy(lane)).toBe("DIAL_FAILED");
    expect(pickedBy(bench.backend.transport)).toBe(A);
    expect(bench.words).toEqual(["CONNECTING", "READY"]);
  });

  it("sums the calls of an endpoint, and tells the last error of any of its connections", async () => {
    const bench = new LanesBench();
    const lane = await bench.withLane("gzip");
    slotOf(bench.backend.transport).callStarted();
    const slot = slotOf(lane);
    slot.callStarted();
    slot.callStarted();

    expect(bench.backend.endpoints()).toMatchObject([{ address: A, state: "READY", callsInFlight: 3 }]);

    bench.network.plan(A, "hang");
    bench.last("gzip").lose("read ECONNRESET");
    slot.callEnded();
    slot.callEnded();
    await settle();
    expect(bench.backend.endpoints()).toMatchObject([
      { state: "READY", callsInFlight: 1, retryInMs: null, lastError: { text: "read ECONNRESET" } },
    ]);
  });

  it("sums the calls that wait", async () => {
    const bench = new LanesBench();
    bench.network.plan(A, "hang");
    const lane = await bench.withLane("gzip");
    const waiter = { onPickable: () => false };

    bench.backend.transport.queue.add(waiter);
    lane.queue.add({ ...waiter });
    lane.queue.add({ ...waiter });

    expect(bench.backend.callsQueued).toBe(3);
  });

  it("is told as one story per endpoint, but every lost connection is told of", async () => {
    const bench = new LanesBench();
    await bench.withLane("gzip");
    bench.last("gzip").lose("read ECONNRESET");
    await settle();

    expect(bench.events.filter(({ type }) => type === "endpoint.state")).toHaveLength(2);
    expect(bench.events.filter(({ type }) => type === "connection.lost")).toEqual([
      { type: "connection.lost", endpoint: A, cause: "read ECONNRESET", callsInFlight: 0 },
    ]);
  });

  it("a call that waits is served when a breaker lets it, whatever its compression", async () => {
    const bench = new LanesBench();
    const lane = await bench.withLane("gzip");
    let asked = 0;
    lane.queue.add({
      onPickable: () => {
        asked++;
        return true;
      },
    });

    bench.backend.tick();

    expect(asked).toBe(1);
  });
});

describe("the endpoints of every kind of compression", () => {
  it("are one set: new ones connect, removed ones drain, in all of them", async () => {
    const bench = new LanesBench({}, TWO);
    await bench.withLane("gzip");

    bench.backend.updateEndpoints([B, C]);
    await settle();

    const open = bench.dials.filter(({ channel }) => !channel.socket.destroyed);
    expect(open.map(({ compression, channel }) => `${compression} ${channel.peer}`).sort()).toEqual([
      `gzip ${B}`,
      `gzip ${C}`,
      `identity ${B}`,
      `identity ${C}`,
    ]);
    expect(bench.events.filter(({ type }) => type === "resolver.endpoints")).toHaveLength(2);
  });

  it("let running calls end before a removed one is closed", async () => {
    const bench = new LanesBench({}, TWO);
    const lane = await bench.withLane("gzip");
    const slot = slotOf(lane);
    slot.callStarted();

    bench.backend.updateEndpoints([C]);
    await settle();
    const used = bench.dialled("gzip").find(({ peer }) => peer === slot.address);
    expect(used?.socket.destroyed).toBe(false);
    slot.callEnded();
    await settle();

    expect(used?.socket.destroyed).toBe(true);
  });

  it("are dialled at once by resetBackoff, in all of them", async () => {
    const bench = new LanesBench();
    bench.network.plan(A, "refuse", "refuse", "ready");
    const lane = await bench.withLane("gzip");

    bench.backend.resetBackoff();
    await settle();

    expect([pickedBy(bench.backend.transport), pickedBy(lane)]).toEqual([A, A]);
  });

  it("fail calls that ask for compression after a look-up failed, too", async () => {
    const names = ScriptedLookup.always(new Error("the name server is down"));
    const bench = new LanesBench({}, "dns:///users:1", names.lookup);
    await bench.awake();

    const lane = bench.backend.transportFor("gzip", false);

    expect(pickedBy(lane)).toBe("DISCOVERY_FAILED");
  });

  it("fail calls that wait with compression when the look-up they wait for fails", async () => {
    const names = new ScriptedLookup();
    const bench = new LanesBench({}, "dns:///users:1", names.lookup);
    const lane = await bench.withLane("gzip");
    expect(pickedBy(lane)).toBe("queue");

    names.answer(1, new Error("the name server is down"));
    await settle();

    expect(pickedBy(lane)).toBe("DISCOVERY_FAILED");
  });

  it("say what a compressed call waits for, not of a look-up that failed before they were known", async () => {
    const names = new ScriptedLookup(new Error("not yet"), ["10.0.0.1"]);
    const bench = await new LanesBench({}, "dns:///users:1", names.lookup).awake();
    await bench.clock.advance(2_000);
    bench.network.plan(A, "hang");

    const lane = bench.backend.transportFor("gzip", false);
    await settle();

    expect(lane.missing).toBe("1 endpoint: 1 CONNECTING");
  });

  it("that come with a later answer serve calls that asked for compression before it", async () => {
    const names = new ScriptedLookup(new Error("not yet"), ["10.0.0.1"]);
    const bench = new LanesBench({}, "dns:///users:1", names.lookup);
    const lane = await bench.withLane("gzip");
    expect(pickedBy(lane)).toBe("DISCOVERY_FAILED");

    await bench.clock.advance(2_000);

    expect(pickedBy(lane)).toBe(A);
  });

  it("are suspected where a compressed write gets stuck", async () => {
    const bench = new LanesBench();
    const lane = await bench.withLane("gzip");
    slotOf(lane).writeStarted();

    bench.backend.tick();
    await bench.clock.advance(5_000);
    bench.backend.tick();

    expect(bench.backend.endpoints()).toMatchObject([{ state: "READY", isSuspect: true }]);
  });
});
