import { callOptions, type Endpoint } from "holdfast";
import { describe, expect, it } from "vitest";
import { type CountingServer, unary, unavailable } from "../support/counting-server.js";
import { EveryKind } from "../support/every-kind.js";
import { LoopbackClock } from "../support/loopback-clock.js";
import { SeededRandom } from "../support/seeded-random.js";
import { endings, Stage } from "../support/stage.js";
import { canDropSyn, SynSilence } from "../support/syn-silence.js";
import { counts, sequentially } from "./pool-servers.js";

const stage = new Stage();
const once = callOptions({ retry: false, timeoutMs: 5_000 });
const idempotent = callOptions({ idempotent: true, timeoutMs: 5_000 });
const QUICK = {
  reconnectBackoff: { initialMs: 10, maxMs: 10 },
  retry: { backoff: { kind: "immediate" as const } },
};

function grouped(...groups: readonly (readonly { readonly address: string }[])[]): Endpoint[] {
  return groups.flatMap((group, priority) => group.map(({ address }) => ({ address, priority })));
}

describe("priorities", () => {
  it("leave the backups unconnected while a primary is well", async () => {
    const [primaries, backup] = [[await stage.server(), await stage.server()], await stage.proxied()];
    const { client, channel } = stage.harden([...primaries, backup]);
    channel.updateEndpoints(grouped(primaries, [backup]));

    const results = await sequentially(client, 10, once);

    expect(endings(results)).toEqual({ OK: 10 });
    expect(backup.proxy.connections).toBe(0);
    expect(primaries.map(({ executions }) => executions.Unary)).toEqual([5, 5]);
  });

  it("use the backup only while every primary is out, and return without a failed call of any kind", async () => {
    const [primary, backup] = [await stage.proxied(), await stage.server()];
    const { client, channel, events } = stage.harden([primary, backup], QUICK);
    channel.updateEndpoints(grouped([primary], [backup]));
    await unary(client, "x", once);

    await primary.proxy.refuse();
    primary.proxy.resetAll();
    await events.first("endpoint.state", { endpoint: primary.address, from: "READY" });
    const during = await sequentially(client, 10, idempotent);
    await primary.proxy.pass();
    const load = new EveryKind(client, once);
    await events.nth(2, "endpoint.state", { endpoint: primary.address, to: "READY" });
    await events.next("call.picked", { endpoint: primary.address });
    const returned = events.picks.length;
    await events.nth(events.count("call.picked") + 20, "call.picked");
    const ends = await load.stop();

    expect(endings(during)).toEqual({ OK: 10 });
    expect(Object.keys(ends)).toEqual(["OK"]);
    expect(new Set(events.picks.slice(returned))).toEqual(new Set([primary.address]));
  });

  it("use the backup while the breaker of the primary is open", async () => {
    const [primary, backup] = [await stage.server({ handler: unavailable() }), await stage.server()];
    const { client, channel } = stage.harden([primary, backup], { breaker: { consecutiveFailures: 3 } });
    channel.updateEndpoints(grouped([primary], [backup]));

    const results = await sequentially(client, 10, once);

    expect(endings(results)).toEqual({ OK: 7, "UNAVAILABLE REMOTE maybe": 3 });
    expect([primary.executions.Unary, backup.executions.Unary]).toEqual([3, 7]);
  });

  it("send a retry to another primary before a backup", async () => {
    const fleet = [
      await stage.server({ handler: unavailable() }),
      await stage.server(),
      await stage.server(),
    ];
    const [bad, good, backup] = fleet as [CountingServer, CountingServer, CountingServer];
    const { client, channel } = stage.harden(fleet, { ...QUICK, breaker: false });
    channel.updateEndpoints(grouped([bad, good], [backup]));
    await channel.ready({ endpoints: "all" });

    const results = await sequentially(client, 10, idempotent);

    expect(endings(results)).toEqual({ OK: 10 });
    expect([good.executions.Unary, backup.executions.Unary]).toEqual([10, 0]);
  });

  it("change for an endpoint that stays without touching its connection", async () => {
    const fleet = [await stage.server(), await stage.server()] as [CountingServer, CountingServer];
    const { client, channel } = stage.harden(fleet);
    await channel.ready({ endpoints: "all" });
    await sequentially(client, 4, once);

    channel.updateEndpoints(grouped([fleet[0]], [fleet[1]]));
    await sequentially(client, 4, once);
    channel.updateEndpoints(grouped([fleet[1]], [fleet[0]]));
    await sequentially(client, 4, once);

    expect(fleet.map(({ executions, peers }) => [executions.Unary, peers.size])).toEqual([
      [6, 1],
      [6, 1],
    ]);
  });
});

describe("zones", () => {
  /** Seven endpoints of our own zone, and three of another. */
  async function zoned() {
    const servers: CountingServer[] = [];
    for (let index = 0; index < 10; index++) servers.push(await stage.server());
    const options = { ...QUICK, zone: "a", reconnectBackoff: { initialMs: 60_000, maxMs: 60_000 } };
    const hardened = stage.harden(servers, options, { random: new SeededRandom(5) });
    hardened.channel.updateEndpoints(
      servers.map(({ address }, index) => ({ address, zone: index < 7 ? "a" : "b" })),
    );
    await hardened.channel.ready({ endpoints: "all" });
    const addresses = servers.map(({ address }) => address);
    /** Calls that went to our own zone, of a hundred. */
    const ownShare = async (): Promise<number> => {
      const before = hardened.events.picks.length;
      const results = await sequentially(hardened.client, 100, idempotent);
      expect(endings(results)).toEqual({ OK: 100 });
      const picks = hardened.events.picks.slice(before);
      return counts(picks, addresses.slice(0, 7)).reduce((sum, count) => sum + count, 0);
    };
    const stop = async (count: number): Promise<void> => {
      for (const server of servers.slice(0, count)) await server.stop();
      for (const address of addresses.slice(0, count)) {
        await hardened.events.first("endpoint.state", { endpoint: address, from: "READY" });
      }
    };
    return { ownShare, stop };
  }

  it("keep calls in our own zone while most of it is usable, and spill over as more of it is lost", async () => {
    const { ownShare, stop } = await zoned();

    const shares = [await ownShare()];
    await stop(2);
    shares.push(await ownShare());
    await stop(5);
    shares.push(await ownShare());
    await stop(7);
    shares.push(await ownShare());

    const [all, most, few, none] = shares as [number, number, number, number];
    expect([all, most, none]).toEqual([100, 100, 0]);
    // Two of seven, overprovisioned by 1.4: 40 %.
    expect(few).toBeGreaterThan(25);
    expect(few).toBeLessThan(55);
  });

  it("that nobody stands in change nothing", async () => {
    const fleet = [await stage.server(), await stage.server()];
    const { client, channel } = stage.harden(fleet, { zone: "nowhere" });
    channel.updateEndpoints(fleet.map(({ address }, index) => ({ address, zone: index === 0 ? "a" : "b" })));
    await channel.ready({ endpoints: "all" });

    await sequentially(client, 10, once);

    expect(fleet.map(({ executions }) => executions.Unary)).toEqual([5, 5]);
  });
});

const dropping = canDropSyn();
const skipped = dropping.ok ? "" : ` (skipped: ${dropping.reason})`;

describe.skipIf(!dropping.ok)(`pick_first over an address that answers no SYN${skipped}`, () => {
  it("dials the next address after 250 ms and answers, long before the dial's own limit (R114)", async () => {
    const clock = new LoopbackClock();
    const [lost, up, spare] = [await stage.server(), await stage.server(), await stage.proxied()];
    const silence = stage.use(SynSilence.start(lost.port));
    const { client, events } = stage.harden([lost, up, spare], { loadBalancing: "pick_first" }, { clock });

    const call = unary(client, "x", callOptions({ timeoutMs: 3_600_000 }));
    await silence.dropped(1);
    const started = clock.now();
    await clock.advance(249);
    const before = events.of("endpoint.state", { to: "CONNECTING" }).map(({ endpoint }) => endpoint);
    await clock.advance(1);
    const result = await call;

    expect(before).toEqual([lost.address]);
    expect(endings([result])).toEqual({ OK: 1 });
    expect(clock.now() - started).toBe(250);
    expect(events.picks).toEqual([up.address]);
    expect(spare.proxy.connections).toBe(0);
  });
});
