import { connectivityState, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import type { ChannelOptions } from "../../src/call/index.js";
import { isReason, type ResilienceError } from "../../src/core/index.js";
import { A, B, C, ChannelBench, readyBench } from "../support/channel-bench.js";

async function rejection(promise: Promise<unknown>): Promise<ResilienceError> {
  const outcome = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  if (outcome === null) throw new Error("it was to be rejected");
  return outcome as ResilienceError;
}

describe("connecting: eager", () => {
  it("has every endpoint connected before the first call; lazy dials nobody", async () => {
    const [eager, lazy] = [
      new ChannelBench({ connecting: "eager" }, { addresses: [A, B] }),
      new ChannelBench({}, { addresses: [A, B] }),
    ];
    await eager.settle();

    const ready = eager.channel.endpoints().map(({ state }) => state);
    const call = await eager.unary();
    eager.network.current.ok();
    await eager.settle();

    expect([ready, call.status.code]).toEqual([["READY", "READY"], status.OK]);
    expect([eager.network.dials.length, lazy.network.dials.length]).toEqual([2, 0]);
  });

  it("connects the first only under pick_first", async () => {
    const first = new ChannelBench(
      { connecting: "eager", loadBalancing: "pick_first" },
      { addresses: [A, B] },
    );
    await first.settle();

    expect(first.network.dials.map(({ peer }) => peer)).toEqual([A]);
  });

  it("leaves no timer that keeps the process alive", async () => {
    const bench = new ChannelBench({ connecting: "eager" }, { addresses: [A, B] });
    await bench.settle();

    expect(bench.clock.keepAliveTimers).toBe(0);
  });
});

describe("ready()", () => {
  it("comes true with the first endpoint, or with all of them", async () => {
    const bench = new ChannelBench({}, { addresses: [A, B] });
    bench.network.plan(B, "hang");
    await bench.channel.ready();
    let isAll = false;

    const all = bench.channel.ready({ endpoints: "all" }).then(() => {
      isAll = true;
    });
    await bench.settle();
    const before = isAll;
    await bench.network.last(B).accept();
    await all;

    expect(before).toBe(false);
  });

  it("of all or nothing names the endpoint that cannot be connected, and why, and closes the others", async () => {
    const bench = new ChannelBench({}, { addresses: [A, B, C] });
    bench.network.plan(B, "refuse");

    const error = await rejection(bench.channel.ready({ endpoints: "all", timeoutMs: 5_000 }));
    await bench.settle();

    expect(isReason(error, "DIAL_FAILED")).toBe(true);
    expect(error.message).toContain(`${B}: connect ECONNREFUSED`);
    expect(bench.network.dials.filter(({ socket }) => !socket.destroyed)).toEqual([]);
    expect(bench.clock.keepAliveTimers).toBe(0);
    expect(bench.channel.stats().state).toBe("IDLE");
  });

  it("of all or nothing leaves the connections be where calls run on them", async () => {
    const bench = new ChannelBench({}, { addresses: [A, B] });
    bench.network.plan(B, "refuse");
    const call = await bench.unary();

    await rejection(bench.channel.ready({ endpoints: "all" }));
    bench.network.current.ok();
    await bench.settle();

    expect(call.status.code).toBe(status.OK);
  });

  it("says after timeoutMs who is missing; the channel connects on", async () => {
    const bench = new ChannelBench({}, { addresses: [A] });
    bench.network.plan(A, "hang");

    const waiting = rejection(bench.channel.ready({ timeoutMs: 1_000 }));
    await bench.advance(1_000);
    const error = await waiting;
    await bench.network.last(A).accept();
    await bench.settle();

    expect(isReason(error, "NO_READY_ENDPOINT")).toBe(true);
    expect(error.message).toMatch(/1000 ms.*CONNECTING/);
    expect(bench.channel.endpoints()[0]?.state).toBe("READY");
  });

  it("ends with its signal, and with the channel", async () => {
    const bench = new ChannelBench({}, { addresses: [A] });
    bench.network.plan(A, "hang");
    const controller = new AbortController();
    const [aborted, closed] = [
      rejection(bench.channel.ready({ signal: controller.signal })),
      rejection(bench.channel.ready()),
    ];

    controller.abort();
    await bench.channel.close();

    expect(isReason(await aborted, "CANCELLED")).toBe(true);
    expect(isReason(await closed, "CLIENT_CLOSED")).toBe(true);
    expect(isReason(await rejection(bench.channel.ready()), "CLIENT_CLOSED")).toBe(true);
    expect(bench.clock.keepAliveTimers).toBe(0);
  });

  it("of all waits for the backups neither, which nobody connects while the primaries are well", async () => {
    const bench = new ChannelBench({}, { addresses: [A, B] });
    bench.channel.updateEndpoints([A, { address: B, priority: 1 }]);

    await bench.channel.ready({ endpoints: "all" });

    expect(bench.network.dialsOf(B)).toHaveLength(0);
  });

  it.each(["pick_first", "ring_hash"])(
    "is content with one endpoint under %s (R131)",
    async (loadBalancing) => {
      const bench = new ChannelBench({ loadBalancing }, { addresses: [A, B] });

      await Promise.all([bench.channel.ready({ endpoints: "all", timeoutMs: 1_000 }), bench.advance(1_000)]);

      expect(bench.network.dials).toHaveLength(1);
    },
  );

  it("is not needed under ring_hash where getConnectivityState(true) asks, as grpc-js's waitForReady does (R131)", async () => {
    const bench = new ChannelBench({ loadBalancing: "ring_hash" }, { addresses: [A, B] });

    bench.channel.getConnectivityState(true);
    await bench.settle();

    expect(bench.network.dials).toHaveLength(1);
    expect(bench.channel.getConnectivityState(false)).toBe(connectivityState.READY);
  });
});

describe("verifyAfterIdleMs", () => {
  const QUIET = { suspicion: { verifyAfterIdleMs: 60_000 } };

  it("holds the first call after a pause until a health Check was answered, whatever the answer", async () => {
    const bench = await readyBench(QUIET);
    await bench.unary();
    bench.network.current.ok();
    await bench.advance(61_000);

    const call = await bench.unary();
    const [calls, checks] = [bench.network.calls.length, bench.network.last(A).checks.length];
    bench.network.last(A).checks[0]?.fail(status.UNIMPLEMENTED);
    await bench.settle();
    bench.network.current.ok();
    await bench.settle();

    expect([calls, checks]).toEqual([1, 1]);
    expect(call.status.code).toBe(status.OK);
    expect(bench.network.dials).toHaveLength(1);
    expect(bench.eventsOf("connection.verified")).toMatchObject([{ endpoint: A, by: "health" }]);
  });

  it("dials anew where the Check is not answered, and the call goes over the new connection, unfailed", async () => {
    const bench = await readyBench(QUIET);
    await bench.unary();
    bench.network.current.ok();
    await bench.advance(61_000);

    const call = await bench.unary();
    await bench.advance(1_000);
    bench.network.current.ok();
    await bench.settle();

    expect(call.status.code).toBe(status.OK);
    expect(bench.network.dials).toHaveLength(2);
    expect(bench.network.calls).toHaveLength(2);
    expect(bench.channel.stats().calls).toMatchObject({ attempts: 2, retries: 0, transparentRetries: 0 });
  });

  it("asks nothing after a shorter pause, and never where it is null", async () => {
    const [short, never] = [
      await readyBench(QUIET),
      await readyBench({ suspicion: { verifyAfterIdleMs: null } }),
    ];
    for (const [bench, ms] of [
      [short, 50_000],
      [never, 1_000_000],
    ] as const) {
      await bench.unary();
      bench.network.current.ok();
      await bench.advance(ms);
      await bench.unary();
    }

    expect([short, never].map(({ network }) => network.calls.length)).toEqual([2, 2]);
    expect([short, never].map(({ network }) => network.last(A).checks.length)).toEqual([0, 0]);
  });
});

describe("an update of endpoints that stay", () => {
  it("changes weight, zone, hash key and metadata over the connections that stand", async () => {
    const bench = await readyBench({ zone: "here" }, { addresses: [A, B] });
    const routes = async (): Promise<string[]> => {
      const before = bench.network.calls.length;
      for (let call = 0; call < 4; call++) {
        await bench.unary();
        bench.network.current.ok();
        await bench.settle();
      }
      return bench.network.route.slice(before).toSorted();
    };

    const before = await routes();
    bench.channel.updateEndpoints([
      { address: A, zone: "here", weight: 3, hashKey: "one", metadata: { rack: "7" } },
      { address: B, zone: "there" },
    ]);
    const after = await routes();

    expect([before, after]).toEqual([
      [A, A, B, B],
      [A, A, A, A],
    ]);
    expect(bench.channel.endpoints()).toMatchObject([
      { address: A, zone: "here", weight: 3, metadata: { rack: "7" }, connections: 1 },
      { address: B, zone: "there", weight: 1, connections: 1 },
    ]);
    expect(bench.network.dials).toHaveLength(2);
    expect(bench.eventsOf("resolver.endpoints")).toHaveLength(1);
  });

  it("names what is wrong with a zone, a hash key or metadata", async () => {
    const bench = await readyBench();
    const update = () =>
      bench.channel.updateEndpoints([
        { address: A, zone: 7, hashKey: {}, metadata: { rack: 7 } } as never,
        { address: B, weight: 0 },
        { address: C, weight: Number.NaN },
      ]);

    expect(update).toThrow(/zone/);
    expect(update).toThrow(/hashKey/);
    expect(update).toThrow(/metadata/);
    expect(update).toThrow(new RegExp(`${B}.*weight`));
  });

  it("dials a kept address anew under another server name, and fails neither running nor new calls", async () => {
    const bench = await readyBench({ retry: false });
    const running = await bench.unary();
    const [old] = bench.network.dials;

    bench.channel.updateEndpoints([{ address: A, serverName: "other.example" }]);
    const next = await bench.unary();
    bench.network.call(0).ok();
    bench.network.current.ok();
    await bench.settle();

    expect([running, next].map(({ status: { code } }) => code)).toEqual([status.OK, status.OK]);
    expect(bench.network.dials).toHaveLength(2);
    expect(old?.socket.destroyed).toBe(true);
    expect(bench.network.last(A).endpoint.serverName).toBe("other.example");
    expect(bench.eventsOf("connection.lost")).toEqual([]);
  });
});

describe("ten thousand endpoints", () => {
  it("of which one changes are touched in that one: no other dial, state or event", async () => {
    const addresses = Array.from(
      { length: 10_000 },
      (_, n) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}:1`,
    );
    const options: Partial<ChannelOptions> = { maxConnectedEndpoints: 50 };
    const bench = await readyBench(options, { addresses });
    const [dials, states] = [bench.network.dials.length, bench.eventsOf("endpoint.state").length];
    const gone = addresses[7] as string;

    bench.channel.updateEndpoints(addresses.map((address) => (address === gone ? "10.99.0.1:1" : address)));
    await bench.settle();

    const touched = bench.eventsOf("endpoint.state").slice(states);
    expect([dials, bench.network.dials.length]).toEqual([50, 51]);
    expect(new Set(touched.map(({ endpoint }) => endpoint))).toEqual(new Set([gone, "10.99.0.1:1"]));
    expect(bench.eventsOf("resolver.endpoints").at(-1)).toMatchObject({
      added: ["10.99.0.1:1"],
      removed: [gone],
      total: 10_000,
    });
    expect(bench.network.dials.filter(({ socket }) => socket.destroyed)).toHaveLength(1);
  });
});

describe("pick_first", () => {
  it("dials the next address 250 ms after the last, in order, and the first that answers wins (R114)", async () => {
    const bench = new ChannelBench({ loadBalancing: "pick_first" }, { addresses: [A, B, C] });
    bench.network.plan(A, "hang");
    bench.network.plan(B, "hang");
    const call = await bench.unary();
    const dialled = (): string[] => bench.network.dials.map(({ peer }) => peer);

    const order = [dialled()];
    await bench.advance(249);
    order.push(dialled());
    await bench.advance(1);
    order.push(dialled());
    await bench.advance(250);
    order.push(dialled());
    bench.network.current.ok();
    await bench.settle();

    expect(order).toEqual([[A], [A], [A, B], [A, B, C]]);
    expect(call.status.code).toBe(status.OK);
    expect(bench.network.route).toEqual([C]);
    expect(bench.network.dials.slice(0, 2).map(({ socket }) => socket.destroyed)).toEqual([true, true]);
  });

  it("dials the next address at once where the last one is refused (R114)", async () => {
    const bench = new ChannelBench({ loadBalancing: "pick_first" }, { addresses: [A, B] });
    bench.network.plan(A, "refuse");

    const call = await bench.unary();
    bench.network.current.ok();
    await bench.settle();

    expect(call.status.code).toBe(status.OK);
    expect(bench.network.route).toEqual([B]);
  });
});
