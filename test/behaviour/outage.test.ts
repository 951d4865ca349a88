import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { hang, unary } from "../support/counting-server.js";
import type { EventLog } from "../support/event-log.js";
import { LoopbackClock } from "../support/loopback-clock.js";
import { PacedLoad } from "../support/paced-load.js";
import { ending, endings, type Proxied, reachAll, Stage } from "../support/stage.js";

const stage = new Stage();

/** A dial that failed. */
const FAILED = { from: "CONNECTING", to: "TRANSIENT_FAILURE" } as const;

function dialsOf(events: EventLog): number {
  return events.count("endpoint.state", { to: "CONNECTING" });
}

/** A crash of the machine: connections are reset, and nobody listens any more. */
async function takeDown({ proxy }: Proxied): Promise<void> {
  await proxy.refuse();
  proxy.resetAll();
}

describe("every server goes down and comes back under load", () => {
  it("costs no idempotent call that waits for ready, and each endpoint is used again, where bare grpc-js fails calls all along", async () => {
    const all = [await stage.proxied(), await stage.proxied()];
    const { client, events } = await stage.warm(all, { reconnectBackoff: { initialMs: 50, maxMs: 50 } });
    const bare = stage.bare(all);
    await reachAll(
      bare,
      all.map(({ server }) => server),
    );
    const patient = callOptions({ idempotent: true, waitForReady: true, timeoutMs: 10_000 });
    const ours = stage.use(new PacedLoad(client, patient));
    const theirs = stage.use(new PacedLoad(bare, {}));
    await ours.more(10);

    for (const proxied of all) await takeDown(proxied);
    await Promise.all(
      all.map(({ address: endpoint }) => events.nth(3, "endpoint.state", { endpoint, ...FAILED })),
    );
    for (const { proxy } of all) await proxy.pass();
    await Promise.all(
      all.map(({ address: endpoint }) => events.nth(2, "endpoint.state", { endpoint, to: "READY" })),
    );
    const picksBefore = events.picks.length;
    await ours.more(20);
    const [results, bareResults] = [await ours.stop(), await theirs.stop()];

    expect(endings(results)).toEqual({ OK: ours.count });
    expect(new Set(events.picks.slice(picksBefore))).toEqual(new Set(all.map(({ address }) => address)));
    for (const { address: endpoint } of all) expect(events.count("connection.lost", { endpoint })).toBe(1);
    expect(endings(bareResults)["UNAVAILABLE"]).toBeGreaterThan(0);
  });
});

describe("the only server is down for long", () => {
  const FIVE_SECONDS = { initialMs: 1_000, maxMs: 5_000, multiplier: 1.6, jitterRatio: 0 };

  it("is dialled at growing intervals up to the cap, and found by the first dial after it came back (R57, R61)", async () => {
    const clock = new LoopbackClock();
    const down = await stage.server();
    await down.stop();
    const { client, events } = stage.harden([down], { reconnectBackoff: FIVE_SECONDS }, { clock });
    const call = unary(client, "x", callOptions({ waitForReady: true, timeoutMs: 600_000 }));
    await events.nth(1, "endpoint.state", FAILED);

    // 1, 1.6, 2.56 and 4.096 s after each other, then every 5 s.
    const dials = [];
    for (const ms of [999, 1, 1_600, 2_560, 4_096, 5_000, 5_000, 4_999, 1]) {
      await clock.advance(ms);
      dials.push(dialsOf(events));
      await events.nth(dialsOf(events), "endpoint.state", FAILED);
    }
    await down.restart();
    await clock.advance(5_000);

    expect(dials).toEqual([1, 2, 3, 4, 5, 6, 7, 7, 8]);
    expect(ending(await call)).toBe("OK");
    expect(dialsOf(events)).toBe(9);
  });

  it("is dialled by no call, however many are made meanwhile (R61)", async () => {
    const clock = new LoopbackClock();
    const down = await stage.server();
    await down.stop();
    const { client, events } = stage.harden([down], { reconnectBackoff: FIVE_SECONDS }, { clock });
    await unary(client, "first", callOptions({ retry: false }));
    await events.first("endpoint.state", FAILED);

    const results = await Promise.all(
      Array.from({ length: 50 }, () => unary(client, "x", callOptions({ retry: false }))),
    );

    expect(endings(results)).toEqual({ "UNAVAILABLE DIAL_FAILED no": 50 });
    expect(dialsOf(events)).toBe(1);
  });

  it("begins with short intervals again after it has been back (R60)", async () => {
    const clock = new LoopbackClock();
    const flaky = await stage.server();
    const { channel, events } = stage.harden([flaky], { reconnectBackoff: FIVE_SECONDS }, { clock });
    await flaky.stop();
    channel.getConnectivityState(true);
    await events.nth(1, "endpoint.state", FAILED);
    for (const [at, ms] of [1_000, 1_600, 2_560].entries()) {
      await clock.advance(ms);
      await events.nth(at + 2, "endpoint.state", FAILED);
    }
    await flaky.restart();
    await clock.advance(4_096);
    await events.first("endpoint.state", { to: "READY" });
    await clock.advance(60_000);

    await flaky.stop();
    await events.nth(5, "endpoint.state", FAILED);
    await clock.advance(1_000);
    await events.nth(6, "endpoint.state", FAILED);

    expect(dialsOf(events)).toBe(7);
  });
});

describe("calls run on the only server when it crashes and is started anew", () => {
  it("are repeated there when they are idempotent, where bare grpc-js fails them", async () => {
    const only = await stage.proxied({ handler: hang() });
    const { client, events } = await stage.warm([only], { reconnectBackoff: { initialMs: 20, maxMs: 20 } });
    const bare = stage.bare([only]);
    const patient = callOptions({ idempotent: true, waitForReady: true });
    const ours = Array.from({ length: 10 }, () => unary(client, "x", patient));
    const theirs = Array.from({ length: 10 }, () => unary(bare, "x"));
    await only.server.received(20);

    await takeDown(only);
    await events.nth(2, "endpoint.state", FAILED);
    only.server.unary = (call, callback) => callback(null, call.request);
    await only.proxy.pass();

    expect(endings(await Promise.all(ours))).toEqual({ OK: 10 });
    expect(endings(await Promise.all(theirs))).toEqual({ UNAVAILABLE: 10 });
    expect(events.count("connection.lost")).toBe(1);
  });
});
