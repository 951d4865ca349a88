import { describe, expect, it } from "vitest";
import { A, B, C, PoolBench } from "../pool/pool-bench.js";
import { ChannelBench } from "../support/channel-bench.js";
import { settle } from "../support/manual-clock.js";

/** Endpoints that have been connected for long enough to be dialled again at once. */
async function longConnected(loadBalancing: string): Promise<PoolBench> {
  const bench = await new PoolBench({ loadBalancing }).connected(A, B);
  // Under a policy that connects as picked the first call connects one.
  bench.picks(1);
  await settle();
  await bench.clock.advance(60_000);
  return bench;
}

const AT_ONCE = { states: ["IDLE", "CONNECTING", "READY"], dials: 1 };

describe.each([
  ["round_robin", AT_ONCE],
  ["pick_first", AT_ONCE],
  ["ring_hash", { states: ["IDLE"], dials: 0 }],
])("the endpoint in use under %s", (policy, { states, dials }) => {
  it.each([
    ["is lost", "lose"],
    ["says GOAWAY while no call runs", "goaway"],
  ] as const)(
    "goes IDLE when its connection %s, and only a policy dials again (R62, R73)",
    async (_, end) => {
      const bench = await longConnected(policy);
      const [used] = bench.picks(1) as [string];
      const before = bench.network.dialsOf(used).length;
      const from = bench.events.length;

      bench.network.last(used)[end]();
      await settle();

      const told = bench.events.slice(from).filter(({ type }) => type === "endpoint.state");
      expect(told.map((event) => "to" in event && event.to)).toEqual(states);
      expect(bench.network.dialsOf(used)).toHaveLength(before + dials);
      expect(bench.clock.pendingTimers).toBe(0);
    },
  );
});

describe("the idle timeout", () => {
  it("is half an hour without a call unless it is set; then the next call looks up and connects anew (R63)", async () => {
    let lookups = 0;
    // Or the name would be looked up again by itself before.
    const bench = new ChannelBench(
      { discovery: { refreshMs: null } },
      {
        target: "dns:///users.internal:50051",
        lookup: () => {
          lookups++;
          return Promise.resolve(["10.0.0.1"]);
        },
      },
    );
    await bench.unary();
    bench.network.current.ok();
    await bench.advance(29 * 60_000);
    expect(bench.channel.endpoints()).toMatchObject([{ state: "READY" }]);

    await bench.advance(2 * 60_000);
    bench.channel.resetBackoff();
    await bench.advance(60 * 60_000);
    expect(bench.channel.endpoints()).toMatchObject([{ state: "IDLE" }]);
    expect([lookups, bench.network.dials.length]).toEqual([1, 1]);
    await bench.unary();

    expect([lookups, bench.network.dials.length]).toEqual([2, 2]);
  });
});

describe("pick_first after every address has failed", () => {
  it("asks for other addresses with each failure, tries all of them on, and is in failure until one is READY (R115)", async () => {
    const bench = new PoolBench({ loadBalancing: "pick_first" });
    bench.network.plan(A, "refuse");
    bench.network.plan(B, "refuse");
    await bench.connected(A, B);
    const [troubles, before] = [bench.troubles, bench.network.dials.length];

    await bench.clock.advance(10_000);
    const [tried, words] = [bench.network.dials.slice(before), [...bench.words]];
    bench.network.plan(B, "ready");
    await bench.clock.advance(10_000);

    expect([troubles, before]).toEqual([2, 2]);
    expect(new Set(tried.map(({ peer }) => peer))).toEqual(new Set([A, B]));
    expect(words.at(-1)).toBe("TRANSIENT_FAILURE");
    expect(bench.words.slice(words.length)).toEqual(["READY"]);
    expect(bench.troubles).toBeGreaterThanOrEqual(before + tried.length);
    expect(bench.picks(2)).toEqual([B, B]);
  });
});

describe("a set of endpoints", () => {
  it("is the same in another order and another spelling: nothing is dialled, told or forgotten (R109, R112)", async () => {
    const bench = await new ChannelBench({}, { addresses: ["[fd00::1]:1", B] }).ready();
    await bench.settle();
    const from = bench.events.length;

    bench.channel.updateEndpoints([B, "[FD00:0:0::0001]:1"]);
    await bench.settle();

    expect(bench.events.slice(from)).toEqual([]);
    expect(bench.network.dials).toHaveLength(2);
    expect(bench.channel.endpoints().map(({ address, state }) => [address, state])).toEqual([
      [B, "READY"],
      ["[fd00::1]:1", "READY"],
    ]);
  });

  it("without any address fails nobody's calls at once, and ends the connections there were (R112)", async () => {
    const bench = await new PoolBench().connected(A, B);

    bench.set();
    await settle();

    expect([bench.openSockets, bench.words.at(-1)]).toEqual([0, "CONNECTING"]);
    expect(bench.picks(1)).toEqual(["queue"]);
    bench.set(C);
    await settle();
    expect(bench.picks(1)).toEqual([C]);
  });

  it.each(["round_robin", "weighted_round_robin", "least_request", "pick_first", "ring_hash"])(
    "counts an address that is named twice as one endpoint, with no double share, under %s (R110)",
    async (loadBalancing) => {
      const bench = await new PoolBench({ loadBalancing }).connected(A, B, A);
      bench.picks(20);
      await settle();

      expect(bench.pool.subchannels.map(({ endpoint }) => endpoint.address)).toEqual([A, B]);
      expect(bench.network.dialsOf(A).length).toBeLessThanOrEqual(1);
      const picks = bench.picks(20);
      if (loadBalancing.endsWith("round_robin")) expect(picks.filter((pick) => pick === A)).toHaveLength(10);
    },
  );
});
