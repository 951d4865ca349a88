import { status } from "@grpc/grpc-js";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { ChannelOptions } from "../../src/call/index.js";
import { ScriptedScheme } from "../discovery/scripted-scheme.js";
import type { Given, ScriptedSource } from "../discovery/scripted-source.js";
import { A, B, C, ChannelBench, NOTHING_LEFT } from "../support/channel-bench.js";
import { settle } from "../support/manual-clock.js";
import { bidi, type TestCall, unary } from "../support/test-call.js";
import { LanesBench } from "./lanes-bench.js";

const scheme = new ScriptedScheme("test-channel");
afterAll(() => scheme.dispose());
beforeEach(() => {
  scheme.made.length = 0;
});

/** A channel whose targets answer when the test says so. */
class SourcedBench extends ChannelBench {
  constructor(options: Partial<ChannelOptions> = {}, target = scheme.target("one")) {
    super(options, { target });
  }

  /** Connected to these. */
  static async using(addresses: readonly string[], options: Partial<ChannelOptions> = {}) {
    const bench = await new SourcedBench(options).ready();
    await bench.answer(...addresses);
    return bench as SourcedBench;
  }

  get source(): ScriptedSource {
    return scheme.source("one");
  }

  async answer(...given: readonly Given[]): Promise<void> {
    this.source.answer(...given);
    await this.settle();
  }

  async fail(message?: string): Promise<void> {
    this.source.fail(message);
    await this.settle();
  }

  /** Calls one after the other, each answered at once. */
  async callTimes(count: number): Promise<TestCall[]> {
    const calls: TestCall[] = [];
    for (let n = 0; n < count; n++) {
      calls.push(await this.unary());
      this.network.current.ok();
      await this.settle();
    }
    return calls;
  }

  get addresses(): string[] {
    return this.channel.endpoints().map(({ address }) => address);
  }
}

/** So many addresses that need no look-up. */
function ips(count: number, from = 1): string[] {
  return Array.from({ length: count }, (_, n) => `10.0.1.${from + n}:1`);
}

describe("B22: the first call", () => {
  it("waits for the first answer, and goes out with it", async () => {
    const bench = new SourcedBench();
    const call = await bench.unary();
    expect(bench.channel.stats().callsQueued).toBe(1);

    await bench.answer(A);
    bench.network.current.ok();
    await bench.settle();

    expect(call.status.code).toBe(status.OK);
  });

  it("waits no longer than its deadline, and says what it waited for", async () => {
    const bench = new SourcedBench();
    const call = await bench.unary({ deadline: bench.clock.epoch() + 3_000 });

    await bench.advance(2_999);
    expect(call.isOver).toBe(false);
    await bench.advance(1);

    expect(call.status).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      reason: "NO_READY_ENDPOINT",
      processed: "no",
      details: expect.stringContaining(
        "an endpoint of test-channel:///one: no endpoints are known: test-channel:///one has not answered yet",
      ),
    });
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });
});

describe("E52: an empty first answer", () => {
  it("lets calls wait to their deadline, which then names the source", async () => {
    const bench = new SourcedBench();
    const call = await bench.unary({ deadline: bench.clock.epoch() + 60_000 });
    await bench.answer();

    await bench.advance(59_999);
    await bench.answer();
    expect(call.isOver).toBe(false);
    await bench.advance(1);

    expect(call.status).toMatchObject({ code: status.DEADLINE_EXCEEDED, reason: "NO_READY_ENDPOINT" });
    expect(call.status.details).toContain("test-channel:///one has answered without endpoints");
  });

  it("lets calls go as soon as there are endpoints", async () => {
    const bench = new SourcedBench();
    await bench.unary();
    await bench.answer();

    await bench.answer(A);

    expect(bench.network.route).toEqual([A]);
  });

  it("close() stops the source, and may be called twice", async () => {
    const bench = await SourcedBench.using([A]);

    await bench.channel.close();
    await bench.channel.close();
    await bench.answer(B);

    expect(bench.source.isClosed).toBe(true);
    expect(bench.network.dialsOf(B)).toEqual([]);
    expect(bench.clock.pendingTimers).toBe(0);
  });
});

describe("C18: a call that waits while the source fails", () => {
  const PATIENT = { waitForReady: true } as const;

  it("ends with its deadline, and tells the source's last error", async () => {
    const bench = new SourcedBench(PATIENT);
    const call = await bench.unary({ deadline: bench.clock.epoch() + 3_000 });
    await bench.fail("no route to the registry");
    await bench.fail("no cluster leader");

    await bench.advance(3_000);

    expect(call.status).toMatchObject({ code: status.DEADLINE_EXCEEDED, processed: "no" });
    expect(call.status.details).toContain("test-channel:///one: no cluster leader");
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("by ready() is told the same when its time is over", async () => {
    const bench = new SourcedBench();
    const ready = bench.channel.ready({ timeoutMs: 1_000 }).catch((error: Error) => error.message);
    await bench.fail("no cluster leader");

    await bench.advance(1_000);

    expect(await ready).toMatch(/not ready after 1000 ms: .*test-channel:\/\/\/one: no cluster leader/);
  });

  it("is cancelled at once, and the endpoints that come later get nothing of it", async () => {
    const bench = new SourcedBench(PATIENT);
    const call = await bench.unary();
    await bench.fail();

    call.cancel();
    await bench.settle();
    expect(call.status).toMatchObject({ code: status.CANCELLED, reason: "CANCELLED", processed: "no" });
    await bench.answer(A);

    expect(bench.network.calls).toEqual([]);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });
});

describe("C19: a pick without endpoints", () => {
  it.each<[string, readonly ("empty" | "error")[], string]>([
    ["waits while the source has not answered", [], "queue"],
    ["waits while it has only answered without endpoints", ["empty"], "queue"],
    ["fails with its error", ["error"], "UNAVAILABLE DISCOVERY_FAILED"],
    ["waits again when it is back, and has none yet", ["error", "empty"], "queue"],
  ])("%s", async (_what, said, end) => {
    const bench = new SourcedBench({ retry: { maxAttempts: 1 } });
    await bench.ready();
    for (const word of said) await (word === "empty" ? bench.answer() : bench.fail());

    const call = await bench.unary();

    expect(call.isOver ? `${status[call.status.code]} ${call.status.reason}` : "queue").toBe(end);
    expect(bench.network.calls).toEqual([]);
  });

  it("is not made again for errors and answers that change nothing", async () => {
    const bench = await new LanesBench({}, scheme.target("one")).awake();
    const asked = vi.spyOn(bench.backend.transport.queue, "serveAll");
    scheme.source("one").fail();
    await settle();
    expect(asked).toHaveBeenCalledTimes(1);

    for (let n = 0; n < 20; n++) scheme.source("one").fail();
    await settle();

    expect(asked).toHaveBeenCalledTimes(1);
    bench.backend.destroy();
  });
});

describe("C14: an error of the source", () => {
  it("keeps the last good set, says so in stats, and costs no call", async () => {
    const bench = await SourcedBench.using([A, B]);

    await bench.fail();
    const calls = await bench.callTimes(4);

    expect(calls.map((call) => call.status.code)).toEqual(Array(4).fill(status.OK));
    expect(bench.network.dials).toHaveLength(2);
    expect(bench.channel.stats().discovery).toMatchObject([
      { source: "test-channel:///one", endpoints: 2, failures: 1, staleSince: expect.any(String) },
    ]);
  });
});

describe("E54: an empty answer", () => {
  it("keeps the last good set until emptyGraceMs is over, and calls go on", async () => {
    const bench = await SourcedBench.using([A, B]);
    bench.source.isWatching = true;
    await bench.answer();
    await bench.advance(29_000);

    const calls = await bench.callTimes(4);

    expect(calls.map((call) => call.status.code)).toEqual(Array(4).fill(status.OK));
    expect(bench.channel.stats().discovery).toMatchObject([
      { endpoints: 2, held: { why: "empty", endpoints: 2 } },
    ]);
    expect(bench.eventsOf("resolver.held")).toMatchObject([{ why: "empty", endpoints: [A, B] }]);
  });

  it("that lasts ends in NO_READY_ENDPOINT for new calls, while running ones may finish", async () => {
    const bench = await SourcedBench.using([A], { retry: { maxAttempts: 1 } });
    bench.source.isWatching = true;
    const running = bidi(bench.channel, { deadline: bench.clock.epoch() + 600_000 }).flow();
    await bench.settle();
    await bench.answer();

    await bench.advance(30_000);
    const call = await bench.unary();
    bench.network.call(0).ok();
    await bench.settle();

    expect(call.status).toMatchObject({
      code: status.UNAVAILABLE,
      reason: "NO_READY_ENDPOINT",
      details: expect.stringContaining("test-channel:///one has answered without endpoints"),
    });
    expect(running.status.code).toBe(status.OK);
  });

  it("that was true is over with the next one that has endpoints", async () => {
    const bench = await SourcedBench.using([A], { discovery: { emptyGraceMs: 0 } });
    await bench.answer();

    await bench.answer(B);
    await bench.callTimes(1);

    expect(bench.network.route).toEqual([B]);
  });
});

describe("D15, D16, C16, E51: a set that changes", () => {
  it("keeps connections and breakers of those that stay, dials the new ones, and gives the removed ones nothing more", async () => {
    const bench = await SourcedBench.using([A, B, C], { breaker: { consecutiveFailures: 1 } });
    await bench.callTimes(1);
    const [first = ""] = bench.network.route;
    const kept = [A, B, C].find((address) => address !== first) ?? "";
    await breakOpen(bench, kept);
    const before = bench.network.last(kept);

    await bench.answer(kept, first, "10.0.0.4:1");
    const removed = [A, B, C].find((address) => !bench.addresses.includes(address)) ?? "";
    bench.network.calls.length = 0;
    const calls = await bench.callTimes(6);

    expect(bench.network.last(kept)).toBe(before);
    expect(breakerOf(bench, kept)).toBe("open");
    expect(new Set(bench.network.route)).toEqual(new Set([first, "10.0.0.4:1"]));
    expect(bench.network.last(removed).socket.destroyed).toBe(true);
    expect(calls.every((call) => call.status.code === status.OK)).toBe(true);
  });

  it("is one event, with what came and what went", async () => {
    const bench = await SourcedBench.using([A, B]);

    await bench.answer(B, C);

    expect(bench.eventsOf("resolver.endpoints")).toEqual([
      { type: "resolver.endpoints", added: [A, B], removed: [], total: 2 },
      { type: "resolver.endpoints", added: [C], removed: [A], total: 2 },
    ]);
  });

  it("lets a stream on a removed endpoint end by itself", async () => {
    const bench = await SourcedBench.using([A]);
    const stream = bidi(bench.channel, { deadline: bench.clock.epoch() + 600_000 }).flow();
    await bench.settle();
    const old = bench.network.last(A);

    await bench.answer(B);
    await bench.advance(29_999);
    await bench.callTimes(2);
    expect([old.socket.destroyed, stream.isOver]).toEqual([false, false]);
    bench.network.call(0).ok();
    await bench.settle();

    expect(stream.status.code).toBe(status.OK);
    expect(old.socket.destroyed).toBe(true);
    expect(bench.network.route).toEqual([A, B, B]);
  });

  it("ends a stream on a removed endpoint once drainMs is over", async () => {
    const bench = await SourcedBench.using([A], { drainMs: 5_000 });
    const stream = bidi(bench.channel, { deadline: bench.clock.epoch() + 600_000 }).flow();
    await bench.settle();

    await bench.answer(B);
    await bench.advance(4_999);
    expect(stream.isOver).toBe(false);
    await bench.advance(1);

    expect(stream.status).toMatchObject({ code: status.UNAVAILABLE, reason: "CONNECTION_LOST" });
  });

  it("costs no call while it changes under a steady load", async () => {
    const bench = await SourcedBench.using(ips(3));
    bench.source.isWatching = true;
    const calls: TestCall[] = [];
    const sets = [ips(9), ips(9, 2), ips(9, 3), ips(2, 3), [], ips(1, 3), ips(2, 3)];

    for (const set of sets) {
      await bench.answer(...set);
      for (let n = 0; n < 20; n++) {
        calls.push(unary(bench.channel));
        await bench.advance(25);
        for (const call of bench.network.calls) if (!call.isEnded) call.ok();
        await bench.settle();
      }
    }

    expect(calls.filter((call) => call.status.code !== status.OK)).toEqual([]);
    expect(bench.addresses).toEqual(ips(2, 3));
    expect(bench.network.route.slice(-20).every((address) => ips(2, 3).includes(address))).toBe(true);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("in weights alone is used without an event, and without a dial", async () => {
    const bench = await SourcedBench.using([A, B], { loadBalancing: { policy: "weighted_round_robin" } });

    await bench.answer({ address: A, weight: 3 }, { address: B, weight: 1 });

    expect(bench.channel.endpoints().map(({ weight }) => weight)).toEqual([3, 1]);
    expect(bench.eventsOf("resolver.endpoints")).toHaveLength(1);
    expect(bench.network.dials).toHaveLength(2);
  });

  it("that is the same as before does nothing at all", async () => {
    const bench = await SourcedBench.using([A, B]);
    const events = bench.events.length;

    await bench.answer(B, A);
    await bench.answer({ address: A, weight: 1 }, B);

    expect(bench.events).toHaveLength(events);
  });
});

describe("an answer that is held back", () => {
  it("keeps calls on all endpoints, and gives the new one its share", async () => {
    const bench = await SourcedBench.using(ips(5));

    await bench.answer("10.0.1.1:1", "10.0.2.1:1");
    await bench.callTimes(12);

    expect(new Set(bench.network.route)).toEqual(new Set([...ips(5), "10.0.2.1:1"]));
  });
});

describe("several targets", () => {
  const TARGETS = [scheme.target("one"), `static:///${C}`] as const;

  /** A channel with the scripted target first, and a static one as the last resort. */
  function listBench(): ChannelBench {
    return new ChannelBench({}, { target: TARGETS as unknown as string });
  }

  it("use the last resort while the first has failed, and the first again when it is back", async () => {
    const bench = listBench();
    await bench.ready();
    const call = await bench.unary();
    expect(bench.network.calls).toEqual([]);

    scheme.source("one").fail();
    await bench.settle();
    expect(bench.network.route).toEqual([C]);
    scheme.source("one").answer(A);
    await bench.settle();
    bench.network.current.ok();
    await bench.unary();

    expect(call.isOver).toBe(true);
    expect(bench.network.route).toEqual([C, A]);
    expect(bench.channel.stats().discovery.map(({ source }) => source)).toEqual([...TARGETS]);
  });
});

describe("a channel that idles", () => {
  const IDLE = { idleTimeoutMs: 5_000 };

  async function asleep(): Promise<SourcedBench> {
    const bench = await SourcedBench.using([A, B], IDLE);
    await bench.callTimes(1);
    await bench.advance(60_000);
    expect([bench.source.isClosed, bench.clock.pendingTimers]).toEqual([true, 0]);
    bench.network.calls.length = 0;
    return bench;
  }

  it("wakes with the endpoints that it had, before any answer", async () => {
    const bench = await asleep();

    await bench.callTimes(2);

    expect(new Set(bench.network.route)).toEqual(new Set([A, B]));
  });

  it("keeps them when the source has none or fails as it wakes", async () => {
    const bench = await asleep();
    await bench.callTimes(1);

    await bench.fail();
    await bench.answer();
    const calls = await bench.callTimes(2);

    expect(calls.every((call) => call.status.code === status.OK)).toBe(true);
    expect(bench.addresses).toEqual([A, B]);
  });

  it("follows what the source says now", async () => {
    const bench = await asleep();
    await bench.callTimes(1);

    await bench.answer(B, C);

    expect(bench.addresses).toEqual([B, C]);
    expect(bench.eventsOf("resolver.endpoints").at(-1)).toMatchObject({ added: [C], removed: [A] });
  });

  it("says nothing when the source says what it said before", async () => {
    const bench = await asleep();
    await bench.callTimes(1);

    await bench.answer(B, A);

    expect(bench.eventsOf("resolver.endpoints")).toHaveLength(1);
  });
});

/** Fails calls until the breaker of this endpoint is open. */
async function breakOpen(bench: SourcedBench, address: string): Promise<void> {
  for (let n = 0; n < 20 && breakerOf(bench, address) !== "open"; n++) {
    await bench.unary();
    for (const call of bench.network.calls) {
      if (call.isEnded) continue;
      if (call.peer === address) call.fail(status.UNAVAILABLE);
      else call.ok();
    }
    await bench.settle();
    for (const call of bench.network.calls) if (!call.isEnded) call.ok();
    await bench.settle();
  }
}

function breakerOf(bench: SourcedBench, address: string): string | undefined {
  return bench.channel.endpoints().find((endpoint) => endpoint.address === address)?.breaker;
}
