import { status as Status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import type { ReadyOptions } from "../../src/call/await-ready.js";
import type { ResilienceError } from "../../src/core/index.js";
import { A, B, C, ChannelBench, readyBench } from "../support/channel-bench.js";
import { settle } from "../support/manual-clock.js";

/** What became of `ready()`: "waiting", "ready", or the reason with its words. */
function readying(bench: ChannelBench, options?: ReadyOptions): { outcome: string; code?: number } {
  const seen: { outcome: string; code?: number } = { outcome: "waiting" };
  bench.channel.ready(options).then(
    () => {
      seen.outcome = "ready";
    },
    (error: ResilienceError) => {
      seen.outcome = `${error.reason}: ${error.details}`;
      seen.code = error.code;
    },
  );
  return seen;
}

function bench(
  plans: Readonly<Record<string, "ready" | "refuse" | "hang">> = {},
  options: object = {},
): ChannelBench {
  const made = new ChannelBench(options, { addresses: [A, B, C] });
  for (const [address, plan] of Object.entries(plans)) made.network.plan(address, plan);
  return made;
}

function openSockets({ network }: ChannelBench): number {
  return network.dials.filter(({ socket }) => !socket.destroyed).length;
}

describe("E35: ready() for any endpoint", () => {
  it("connects by itself, and is over with the first that is READY", async () => {
    const lazy = bench({ [A]: "hang", [B]: "refuse" });

    const seen = readying(lazy);
    await settle();

    expect(seen.outcome).toBe("ready");
    expect(lazy.channel.stats().callsInFlight).toBe(0);
  });

  it("waits through failures: an endpoint may yet come", async () => {
    const late = bench({ [A]: "refuse", [B]: "refuse", [C]: "refuse" });
    const seen = readying(late);
    await settle();
    expect(seen.outcome).toBe("waiting");

    late.network.plan(B, "ready");
    await late.advance(1_300);

    expect(seen.outcome).toBe("ready");
  });

  it("gives up at its time with what is missing, and leaves the channel to go on", async () => {
    const down = bench({ [A]: "refuse", [B]: "refuse", [C]: "refuse" });
    const seen = readying(down, { timeoutMs: 500 });
    await down.advance(499);
    expect(seen.outcome).toBe("waiting");

    await down.advance(1);

    expect(seen).toEqual({
      code: Status.UNAVAILABLE,
      outcome: expect.stringMatching(
        /^NO_READY_ENDPOINT: not ready after 500 ms: 3 endpoints: 3 TRANSIENT_FAILURE; last error: .*ECONNREFUSED/,
      ),
    });
    down.network.plan(A, "ready");
    await down.advance(2_000);
    expect(down.channel.stats().state).toBe("READY");
  });

  it("is over at once on a channel that is READY", async () => {
    const ready = await bench().ready();

    const seen = readying(ready, { timeoutMs: 1 });
    await settle();

    expect(seen.outcome).toBe("ready");
  });

  it.each(["pick_first", "ring_hash"])(
    "connects one endpoint under %s, and no more",
    async (loadBalancing) => {
      const one = bench({}, { loadBalancing });

      const seen = readying(one);
      await settle();

      expect(seen.outcome).toBe("ready");
      expect(openSockets(one)).toBe(1);
    },
  );
});

describe("E35: ready() for all endpoints", () => {
  it("waits for the last of them", async () => {
    const slow = bench({ [C]: "hang" });
    const seen = readying(slow, { endpoints: "all" });
    await settle();
    expect(seen.outcome).toBe("waiting");

    await slow.network.last(C).accept();
    await settle();

    expect(seen.outcome).toBe("ready");
  });

  it("fails with the first that cannot be connected, by name, and closes what was", async () => {
    const broken = bench({ [B]: "refuse", [C]: "hang" });

    const seen = readying(broken, { endpoints: "all" });
    await settle();

    expect(seen).toEqual({
      code: Status.UNAVAILABLE,
      outcome: `DIAL_FAILED: ${B}: connect ECONNREFUSED ${B}`,
    });
    await settle();
    expect(openSockets(broken)).toBe(0);
    expect(broken.channel.stats().state).toBe("IDLE");
  });

  it("closes what was connected at its time, too", async () => {
    const slow = bench({ [C]: "hang" });

    const seen = readying(slow, { endpoints: "all", timeoutMs: 300 });
    await slow.advance(300);

    expect(seen.outcome).toMatch(
      /^NO_READY_ENDPOINT: not ready after 300 ms: 3 endpoints: 2 READY, 1 CONNECTING/,
    );
    expect(openSockets(slow)).toBe(0);
  });

  it("leaves the connections alone where calls run over them", async () => {
    const used = bench({ [C]: "hang" });
    await used.ready();
    const call = await used.unary();

    const seen = readying(used, { endpoints: "all", timeoutMs: 300 });
    await used.advance(300);
    used.network.current.ok();
    await settle();

    expect(seen.outcome).toMatch(/^NO_READY_ENDPOINT/);
    expect(call.status.code).toBe(Status.OK);
  });

  it("asks for no more than maxConnectedEndpoints", async () => {
    const few = bench({ [C]: "refuse" }, { maxConnectedEndpoints: 2 });

    const seen = readying(few, { endpoints: "all" });
    await settle();

    expect(seen.outcome).toBe("ready");
    expect(few.network.dials).toHaveLength(2);
  });

  it("can be asked again after it failed", async () => {
    const again = bench({ [B]: "refuse" });
    readying(again, { endpoints: "all" });
    await settle();
    again.network.plan(B, "ready");

    const seen = readying(again, { endpoints: "all" });
    await settle();

    expect(seen.outcome).toBe("ready");
    expect(openSockets(again)).toBe(3);
  });
});

describe.each(["any", "all"] as const)("ready() for %s endpoints ends", (endpoints) => {
  it("with the channel", async () => {
    const hanging = bench({ [A]: "hang", [B]: "hang", [C]: "hang" });
    const seen = readying(hanging, { endpoints });
    await settle();

    hanging.channel.destroy();
    await settle();

    expect(seen).toEqual({ code: Status.CANCELLED, outcome: "CLIENT_CLOSED: the channel was closed" });
    expect(hanging.clock.pendingTimers).toBe(0);
  });

  it("at once on a channel that is closed, which is not connected for it", async () => {
    const closed = bench();
    await closed.channel.close();

    const seen = readying(closed, { endpoints });
    await settle();

    expect(seen.outcome).toBe("CLIENT_CLOSED: the channel was closed");
    expect(closed.network.dials).toEqual([]);
    expect(closed.clock.pendingTimers).toBe(0);
  });

  it("with its signal, before or during the wait, and leaves neither timer nor listener", async () => {
    const hanging = bench({ [A]: "hang", [B]: "hang", [C]: "hang" });
    const controller = new AbortController();
    const during = readying(hanging, { endpoints, signal: controller.signal });
    await settle();

    controller.abort();
    const after = readying(hanging, { endpoints, signal: controller.signal });
    await settle();

    expect(during).toEqual({ code: Status.CANCELLED, outcome: "CANCELLED: the signal was aborted" });
    expect(after).toEqual(during);
    expect(hanging.clock.keepAliveTimers).toBe(0);
  });
});

it("a process waits for ready(), and no longer", async () => {
  const hanging = bench({ [A]: "hang", [B]: "hang", [C]: "hang" });

  readying(hanging, { timeoutMs: 1_000 });
  expect(hanging.clock.keepAliveTimers).toBe(1);
  await hanging.advance(1_000);

  expect(hanging.clock.keepAliveTimers).toBe(0);
});

it.each([
  [{ timeoutMs: 0 }, "timeoutMs"],
  [{ timeoutMs: Number.NaN }, "timeoutMs"],
  [{ endpoints: "some" }, "endpoints"],
  [{ timeout: 5 }, "timeout"],
])("refuses %j by name, before it connects", async (options, key) => {
  const fresh = bench();

  await expect(fresh.channel.ready(options as ReadyOptions)).rejects.toThrow(key);

  expect(fresh.network.dials).toEqual([]);
});

describe("E35: a ready() that fails", () => {
  it("leaves alone what was connected before it", async () => {
    const bench = await readyBench({}, { addresses: [A, B] });
    bench.network.plan(C, "refuse");
    bench.channel.updateEndpoints([A, B, C]);

    await expect(bench.channel.ready({ endpoints: "all" })).rejects.toMatchObject({ reason: "DIAL_FAILED" });

    expect(bench.channel.endpoints().map(({ state }) => state)).toEqual([
      "READY",
      "READY",
      "TRANSIENT_FAILURE",
    ]);
  });

  it("by an abort ends the wait, and nothing else", async () => {
    const bench = new ChannelBench({}, { addresses: [A, B] });
    bench.network.plan(B, "hang");
    const abort = new AbortController();
    const ready = bench.channel.ready({ endpoints: "all", signal: abort.signal });
    await bench.settle();

    abort.abort();

    await expect(ready).rejects.toMatchObject({ reason: "CANCELLED" });
    expect(bench.channel.endpoints().map(({ state }) => state)).toEqual(["READY", "CONNECTING"]);
  });

  it("for options that are none rejects, as every other failure does", async () => {
    const bench = new ChannelBench({}, { addresses: [A] });

    await expect(bench.channel.ready({ timeoutMs: -1 })).rejects.toMatchObject({ reason: "CONFIG_INVALID" });
  });
});
