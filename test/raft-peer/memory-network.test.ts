import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemoryNetwork } from "../../src/raft-peer/memory-network.js";
import type { MemoryNetworkOptions } from "../../src/raft-peer/memory-network-options.js";
import type { UnaryLink } from "../../src/raft-peer/unary-link.js";
import { configErrorOf } from "../support/config-error.js";
import { settle } from "../support/manual-clock.js";
import { COMMAND, CountingNode, memoryStage, OK, type Sent, send } from "./memory-calls.js";

const LABRPC: MemoryNetworkOptions = { reliable: false, longReordering: true, duplicateRatio: 0.3 };

describe("a server", () => {
  it.each(["removed", "replaced", "disposed"] as const)(
    "that is %s while it runs a call gives no reply",
    async (how) => {
      const { clock, network } = memoryStage();
      const [old, fresh] = [new CountingNode(() => clockWait(10)), new CountingNode()];
      const clockWait = (ms: number) =>
        new Promise<typeof OK>((resolve) => clock.setTimer(() => resolve(OK), ms));
      const handle = network.serve("b:1", { kv: old });
      const { heard } = send(network.link("a:1", "b:1"));
      await clock.advance(5);

      if (how === "removed") network.remove("b:1");
      else if (how === "replaced") network.serve("b:1", { kv: fresh });
      else handle.dispose();
      await clock.advance(95);

      expect(heard).toMatchObject([{ kind: "timeout", processed: "maybe" }]);
      expect([old.keys, fresh.keys]).toEqual([["k"], []]);
      expect(clock.pendingTimers).toBe(0);
    },
  );

  it("that is replaced while a request is under way never runs it, nor does the new one", async () => {
    const { clock, network } = memoryStage();
    const [old, fresh] = [new CountingNode(), new CountingNode()];
    network.serve("b:1", { kv: old });
    const { heard } = send(network.link("a:1", "b:1"));

    network.serve("b:1", { kv: fresh });
    await clock.advance(100);

    expect(heard).toMatchObject([{ kind: "timeout" }]);
    expect([old.keys, fresh.keys]).toEqual([[], []]);
  });

  it("that is removed while its reply is delayed gives no reply", async () => {
    const { clock, network, lines } = memoryStage({ longReordering: true }, 3);
    network.serve("b:1", { kv: new CountingNode() });
    const calls = Array.from({ length: 10 }, () => send(network.link("a:1", "b:1"), { timeoutMs: 3_000 }));
    await clock.advance(1);
    const delayed = lines.filter((line) => line.endsWith("reply delayed")).length;

    network.remove("b:1");
    await clock.advance(3_000);

    expect(delayed).toBeGreaterThan(0);
    expect(calls.filter(({ heard }) => heard[0]?.ok === false)).toHaveLength(delayed);
  });

  it("that took the place of another is not removed by the other's handle", async () => {
    const { clock, network } = memoryStage();
    const handle = network.serve("b:1", { kv: new CountingNode() });
    network.serve("b:1", { kv: new CountingNode() });

    handle.dispose();
    const { heard } = send(network.linksFrom("a:1")("b:1", []));
    await clock.advance(0);

    expect(heard).toMatchObject([{ ok: true }]);
  });

  it("may be removed where there is none", () => {
    expect(() => memoryStage().network.remove("b:1")).not.toThrow();
  });

  it("whose handler lacks a method is refused, and the one that is there stays", async () => {
    const { clock, network } = memoryStage();
    network.serve("b:1", { kv: new CountingNode() });

    const error = configErrorOf(() => network.serve("b:1", { raft: {} as never }));
    const { heard } = send(network.link("a:1", "b:1"));
    await clock.advance(0);

    expect(error.details).toContain("requestVote");
    expect(heard).toMatchObject([{ ok: true }]);
  });
});

describe("what happens", () => {
  it("is the same again with the same seed, and another with another", async () => {
    const traces = [await workload(1), await workload(1), await workload(2)] as const;

    expect(traces[0].length).toBeGreaterThan(600);
    expect(traces[1]).toEqual(traces[0]);
    expect(traces[2]).not.toEqual(traces[0]);
  });

  it("is traced in one line per event", async () => {
    const { clock, network, lines } = memoryStage();
    network.serve("b:1", { kv: new CountingNode() });

    send(network.link("a:1", "b:1"));
    await clock.advance(3);
    send(network.link("a:1", "c:1"));

    expect(lines).toEqual([
      "1000 #1 a:1>b:1 Command leaves 10 B",
      "1000 #1 a:1>b:1 Command arrives",
      "1000 #1 a:1>b:1 Command ok",
      "1003 #2 a:1>c:1 Command has no way",
    ]);
  });

  it("is counted: calls, bytes both ways, arrivals per server over its restarts", async () => {
    const { clock, network } = memoryStage();
    for (let life = 0; life < 2; life++) {
      network.serve("b:1", { kv: new CountingNode() });
      send(network.link("a:1", "b:1"));
      await clock.advance(0);
    }
    send(network.link("a:1", "c:1"));

    expect(network.stats()).toEqual({ calls: 3, bytes: 3 * 10 + 2 * 4, perServer: { "b:1": 2 } });
  });
});

describe("options", () => {
  it("that are bad are refused, all in one error", () => {
    const options = { duplicateRatio: 1.5, reliabel: true, maxMessageBytes: 0 } as never;

    const error = configErrorOf(() => new MemoryNetwork(options));

    expect(error.reason).toBe("CONFIG_INVALID");
    expect(error.details).toContain("MemoryNetwork: 3 problems: ");
    expect(error.details).toContain("duplicateRatio is 1.5; allowed: 1 or less");
    expect(error.details).toContain("reliabel is not a known key (did you mean reliable?)");
  });

  it("switched while it runs hold for the calls that begin afterwards", async () => {
    const { clock, network } = memoryStage({}, 9);
    network.serve("b:1", { kv: new CountingNode() });
    const late = async () => {
      const calls = Array.from({ length: 60 }, () => send(network.link("a:1", "b:1"), { timeoutMs: 5_000 }));
      const lost = Array.from({ length: 20 }, () => send(network.link("a:1", "c:1"), { timeoutMs: 7_000 }));
      await clock.advance(7_000);
      const longest = (sent: readonly Sent[]) => Math.max(...sent.map(({ heard }) => heard[0]?.ms ?? -1));
      return { calls: longest(calls), nobody: longest(lost), ran: network.stats().perServer["b:1"] };
    };

    expect(await late()).toMatchObject({ calls: 0, ran: 60 });
    network.setDuplicateRatio(1);
    expect(await late()).toMatchObject({ calls: 0, ran: 180 });
    network.setDuplicateRatio(0);
    network.setLongDelays(true);
    expect((await late()).nobody).toBeGreaterThan(100);
    network.setLongReordering(true);
    expect((await late()).calls).toBeGreaterThanOrEqual(1_000);
    network.setReliable(false);
    expect((await late()).calls).toBe(5_000);
  });

  it("switched to a bad value are refused and stay as they were", async () => {
    const { network } = memoryStage();

    expect(configErrorOf(() => network.setDuplicateRatio(-1)).details).toContain(
      "duplicateRatio is -1; allowed: 0 or more",
    );
  });

  it("may be left out: then time and chance are the machine's", async () => {
    const network = new MemoryNetwork();
    network.serve("b:1", { kv: new CountingNode() });

    const result = await new Promise((resolve) => {
      const command = { key: "k", value: "v", op: 0, clientId: 1n, commandId: 1n };
      network.link("a:1", "b:1").call(COMMAND, command, 5_000, resolve);
    });

    expect(result).toMatchObject({ ok: true });
  });
});

it("every call ends exactly once and leaves nothing behind, whatever happens meanwhile", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.array(step, { minLength: 5, maxLength: 60 }), async (seed, steps) => {
      const { clock, network } = memoryStage(LABRPC, seed);
      const links = ADDRESSES.map((to, n) => network.link(ADDRESSES[(n + 1) % 3] as string, to));
      const calls: Sent[] = [];
      for (const [name, a, b] of steps) {
        if (name === "send") calls.push(send(links[a % 3] as UnaryLink, { timeoutMs: (b % 400) + 1 }));
        else if (name === "cancel") calls[b % Math.max(1, calls.length)]?.cancel();
        else if (name === "advance") await clock.advance(b % 300);
        else if (name === "close") await links[a % 3]?.close();
        else change(network, name, a % 3, b);
      }

      await clock.advance(3_000);

      expect(calls.every(({ heard }) => heard.length === 1)).toBe(true);
      expect(clock.pendingTimers).toBe(0);
    }),
    { numRuns: 100 },
  );
});

const ADDRESSES = ["a:1", "b:1", "c:1"];
const CHANGES = ["serve", "remove", "cut", "mend", "partition", "heal", "reliable", "reorder"] as const;
const step = fc.tuple(
  fc.constantFrom("send", "send", "send", "serve", "advance", "cancel", "close", ...CHANGES),
  fc.nat(2),
  fc.nat(1_000),
);

function change(network: MemoryNetwork, name: (typeof CHANGES)[number], n: number, b: number): void {
  const [address, other] = [ADDRESSES[n] as string, ADDRESSES[(n + 1) % 3] as string];
  if (name === "serve") network.serve(address, { kv: new CountingNode(() => answers(b)) });
  else if (name === "remove") network.remove(address);
  else if (name === "cut") network.cut(other, address, { oneWay: b % 2 === 0 });
  else if (name === "mend") network.mend(other, address);
  else if (name === "partition") network.partition([[address], [other]]);
  else if (name === "heal") network.heal();
  else if (name === "reliable") network.setReliable(b % 2 === 0);
  else network.setLongReordering(b % 2 === 0);
}

/** At once, later, with an error, or never. */
function answers(b: number): typeof OK | Promise<typeof OK> {
  if (b % 4 === 0) return OK;
  if (b % 4 === 1) return Promise.resolve(OK);
  if (b % 4 === 2) return Promise.reject(new Error("disk full"));
  return new Promise(() => {});
}

/** Three servers, three callers, a crash and a partition on the way. */
async function workload(seed: number): Promise<readonly string[]> {
  const { clock, network, lines } = memoryStage(LABRPC, seed);
  for (const address of ADDRESSES) network.serve(address, { kv: new CountingNode() });
  for (let n = 0; n < 200; n++) {
    send(network.link(ADDRESSES[n % 3] as string, ADDRESSES[(n + 1) % 3] as string), { timeoutMs: 750 });
    if (n === 50) network.remove("b:1");
    if (n === 80) network.serve("b:1", { kv: new CountingNode() });
    if (n === 100) network.partition([["a:1", "b:1"], ["c:1"]]);
    if (n === 150) network.heal();
    await clock.advance(7);
  }
  await clock.advance(5_000);
  await settle();
  return lines;
}
