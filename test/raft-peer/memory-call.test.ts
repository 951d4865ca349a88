import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import type { KvReply } from "../../src/raft-peer/kv-messages.js";
import { MemoryNetwork } from "../../src/raft-peer/memory-network.js";
import { ManualClock, settle } from "../support/manual-clock.js";
import { fixedRandom } from "../support/seeded-random.js";
import { CountingNode, memoryStage, OK, send } from "./memory-calls.js";

describe("a call", () => {
  it("on a reliable network is answered in no time and leaves no timer behind", async () => {
    const { clock, link } = served();

    const { heard } = send(link);
    expect(clock.pendingTimers).toBeLessThanOrEqual(2);
    await clock.advance(0);

    expect(heard).toEqual([{ ok: true, response: { err: "OK", value: "" }, ms: 0 }]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("without an answer ends with its own timeout, and may have run", async () => {
    const { clock, link, node } = served(() => new Promise(() => {}));
    const { heard } = send(link, { timeoutMs: 100 });

    await clock.advance(99);
    expect(heard).toEqual([]);
    await clock.advance(1);

    expect(heard).toMatchObject([
      {
        ok: false,
        kind: "timeout",
        code: status.DEADLINE_EXCEEDED,
        reason: "DEADLINE_EXCEEDED",
        processed: "maybe",
        details: "no answer from b:1 within 100 ms",
        ms: 100,
        attempts: [{ attempt: 1, endpoint: "b:1", startedMs: 0, ms: 100, origin: "local" }],
      },
    ]);
    expect(node.keys).toEqual(["k"]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("to where there is no server is unreachable after a while, and has not run", async () => {
    const { clock, network } = memoryStage();

    const { heard } = send(network.link("a:1", "nobody"));
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(99);

    expect(heard).toMatchObject([
      {
        kind: "unreachable",
        code: status.UNAVAILABLE,
        processed: "no",
        details: "nobody could not be reached",
      },
    ]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("to where there is no server ends with its timeout when that comes first", async () => {
    const clock = new ManualClock();
    const network = new MemoryNetwork({ clock, random: fixedRandom(0.5), longDelays: true });

    const { heard } = send(network.link("a:1", "nobody"), { timeoutMs: 100 });
    await clock.advance(100);

    expect(heard).toMatchObject([{ kind: "timeout", processed: "maybe", ms: 100 }]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("is rejected with the code of the handler's error, INTERNAL when it has none", async () => {
    const errors = [
      Object.assign(new Error("log compacted"), { code: status.FAILED_PRECONDITION }),
      new Error("disk full"),
    ];
    const { clock, link } = served(() => {
      throw errors.shift();
    });

    const calls = [send(link), send(link)];
    await clock.advance(0);

    expect(calls.flatMap(({ heard }) => heard)).toMatchObject([
      { kind: "rejected", code: status.FAILED_PRECONDITION, reason: "REMOTE", processed: "maybe" },
      { kind: "rejected", code: status.INTERNAL, details: "b:1 answered: disk full" },
    ]);
  });

  it("to a service that the server lacks is rejected as UNIMPLEMENTED", async () => {
    const { clock, network } = memoryStage();
    network.serve("b:1", {});

    const { heard } = send(network.link("a:1", "b:1"));
    await clock.advance(0);

    expect(heard).toMatchObject([
      {
        kind: "rejected",
        code: status.UNIMPLEMENTED,
        details: expect.stringContaining("/kvraftpb.KVService/Command"),
      },
    ]);
  });
});

describe("a caller that gives up", () => {
  it("by cancel hears of it at once, but not within its own cancel", async () => {
    const { clock, link } = served(() => new Promise(() => {}));
    const { heard, cancel } = send(link);
    await clock.advance(5);

    cancel();
    cancel();
    expect(heard).toEqual([]);
    await settle();

    expect(heard).toMatchObject([
      { kind: "closed", code: status.CANCELLED, reason: "CANCELLED", processed: "maybe", ms: 5 },
    ]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("by cancel does not call back a request that has left: it still runs", async () => {
    const clock = new ManualClock();
    const network = new MemoryNetwork({ clock, random: fixedRandom(0.5), reliable: false });
    const node = new CountingNode();
    network.serve("b:1", { kv: node });
    const { heard, cancel } = send(network.link("a:1", "b:1"));

    cancel();
    await clock.advance(26);

    expect(node.keys).toEqual(["k"]);
    expect(heard).toMatchObject([{ kind: "closed" }]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("by timeout does not call back a request that has left: it still runs", async () => {
    const clock = new ManualClock();
    const network = new MemoryNetwork({ clock, random: fixedRandom(0.5), reliable: false });
    const node = new CountingNode();
    network.serve("b:1", { kv: node });

    const { heard } = send(network.link("a:1", "b:1"), { timeoutMs: 5 });
    await clock.advance(26);

    expect(heard).toMatchObject([{ kind: "timeout", ms: 5 }]);
    expect(node.keys).toEqual(["k"]);
  });

  it("is not told of a reply that comes later", async () => {
    const { clock, link } = served(() => new Promise((resolve) => clock.setTimer(() => resolve(OK), 150)));
    const { heard, cancel } = send(link, { timeoutMs: 100 });

    await clock.advance(200);
    cancel();
    await settle();

    expect(heard).toHaveLength(1);
    expect(heard).toMatchObject([{ kind: "timeout" }]);
  });

  it("leaves no timer of a delayed reply", async () => {
    const { clock, network, lines } = memoryStage({ longReordering: true }, 3);
    network.serve("b:1", { kv: new CountingNode() });
    const calls = Array.from({ length: 10 }, () => send(network.link("a:1", "b:1"), { timeoutMs: 199 }));

    await clock.advance(199);

    expect(lines.filter((line) => line.endsWith("reply delayed")).length).toBeGreaterThan(2);
    expect(calls.every(({ heard }) => heard.length === 1)).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("a request that arrives twice", () => {
  it("runs twice, and its caller hears once", async () => {
    const { clock, network } = memoryStage({ duplicateRatio: 1 });
    const node = new CountingNode();
    network.serve("b:1", { kv: node });

    const { heard } = send(network.link("a:1", "b:1"));
    await clock.advance(2_000);

    expect(node.keys).toEqual(["k", "k"]);
    expect(heard).toMatchObject([{ ok: true, ms: 0 }]);
    expect(network.stats()).toMatchObject({ calls: 1, perServer: { "b:1": 2 } });
    expect(clock.pendingTimers).toBe(0);
  });

  it("is not answered by its second run", async () => {
    const { clock, network } = memoryStage({ duplicateRatio: 1 });
    const answers = [new Promise<KvReply>(() => {}), Promise.resolve(OK)];
    const node = new CountingNode(() => answers.shift() ?? OK);
    network.serve("b:1", { kv: node });

    const { heard } = send(network.link("a:1", "b:1"), { timeoutMs: 5_000 });
    await clock.advance(5_000);

    expect(node.keys).toEqual(["k", "k"]);
    expect(heard).toMatchObject([{ kind: "timeout" }]);
  });

  it("keeps no process alive for its second arrival", async () => {
    const { clock, network } = memoryStage({ duplicateRatio: 1 });
    network.serve("b:1", { kv: new CountingNode() });

    send(network.link("a:1", "b:1"));
    await clock.advance(0);

    expect(clock.pendingTimers).toBe(1);
    expect(clock.keepAliveTimers).toBe(0);
  });

  it("does not run again after a restart", async () => {
    const { clock, network } = memoryStage({ duplicateRatio: 1 });
    const [before, after] = [new CountingNode(), new CountingNode()];
    network.serve("b:1", { kv: before });
    send(network.link("a:1", "b:1"));
    await clock.advance(0);

    network.serve("b:1", { kv: after });
    await clock.advance(2_000);

    expect([before.keys, after.keys]).toEqual([["k"], []]);
  });
});

describe("calls made together", () => {
  it("may be answered in another order", async () => {
    const { clock, network } = memoryStage({ reliable: false }, 7);
    const node = new CountingNode();
    network.serve("b:1", { kv: node });
    const keys = Array.from({ length: 20 }, (_, n) => `${n}`);

    for (const key of keys) send(network.link("a:1", "b:1"), { key });
    await clock.advance(100);

    const inOrder = keys.filter((key) => node.keys.includes(key));
    expect(node.keys).not.toEqual(inOrder);
    expect([...node.keys].sort()).toEqual([...inOrder].sort());
  });
});

function served(answer?: () => KvReply | Promise<KvReply>) {
  const { clock, network } = memoryStage();
  const node = new CountingNode(answer);
  network.serve("b:1", { kv: node });
  return { clock, network, node, link: network.link("a:1", "b:1") };
}
