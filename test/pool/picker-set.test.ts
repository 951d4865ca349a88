import { describe, expect, it } from "vitest";
import type { Endpoint } from "../../src/core/index.js";
import { localShareOf } from "../../src/pool/picker-tiers.js";
import { settle } from "../support/manual-clock.js";
import { SeededRandom } from "../support/seeded-random.js";
import { A, B, C, CALL, PoolBench } from "./pool-bench.js";

const PICKS = 10_000;

async function pool(endpoints: readonly Endpoint[], options: object, down: readonly string[] = []) {
  const bench = new PoolBench(options, new SeededRandom(7));
  for (const address of down) bench.network.plan(address, "refuse");
  bench.pool.connect();
  bench.pool.update(endpoints);
  await settle();
  return bench;
}

/** Share of the picks that each address gets, in percent. */
function shares(bench: PoolBench, count = PICKS): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const address of bench.picks(count)) counts[address] = (counts[address] ?? 0) + 100 / count;
  return counts;
}

function inZone(zone: string, ...addresses: string[]): Endpoint[] {
  return addresses.map((address) => ({ address, zone }));
}

const [D, E] = ["10.0.0.4:1", "10.0.0.5:1"];

describe("our own zone", () => {
  it.each([
    [7, 7, 1],
    [5, 7, 1],
    [4, 7, 0.8],
    [1, 2, 0.7],
    [1, 7, 0.2],
    [0, 7, 0],
    [0, 0, 0],
  ])("with %d of %d endpoints usable takes %d of the calls", (usable, total, share) => {
    expect(localShareOf(usable, total)).toBeCloseTo(share, 12);
  });

  it("gets all calls while its endpoints are well, in turn", async () => {
    const bench = await pool([...inZone("there", C), ...inZone("here", A, B)], { zone: "here" });

    expect(shares(bench, 100)).toEqual({ [A]: 50, [B]: 50 });
  });

  it("gives up as much of the load as its endpoints that are left cannot carry", async () => {
    const bench = await pool([...inZone("here", A, B), ...inZone("there", C, D)], { zone: "here" }, [B]);

    const { [A]: own = 0, [C]: one = 0, [D]: other = 0, ...rest } = shares(bench);

    expect(own).toBeGreaterThan(68);
    expect(own).toBeLessThan(72);
    expect(Math.abs(one - other)).toBeLessThan(0.1);
    expect(rest).toEqual({});
  });

  it("leaves everything to the others when none of its endpoints is usable, and takes it back", async () => {
    const bench = await pool([...inZone("here", A), ...inZone("there", C)], { zone: "here" }, [A]);
    expect(shares(bench, 10)).toEqual({ [C]: 100 });

    bench.network.plan(A, "ready");
    await bench.clock.advance(2_000);

    expect(shares(bench, 10)).toEqual({ [A]: 100 });
  });

  it("hands on what it has no room for", async () => {
    const options = { zone: "here", maxStreamsPerConnection: 1 };
    const bench = await pool([...inZone("here", A), ...inZone("there", C)], options);
    bench.connection(A).callStarted();

    expect(shares(bench, 10)).toEqual({ [C]: 100 });
  });

  it("is asked only among endpoints of the best priority", async () => {
    const endpoints = [
      { address: A, zone: "there", priority: 0 },
      { address: B, zone: "here", priority: 1 },
    ];
    const bench = await pool(endpoints, { zone: "here" });

    expect(shares(bench, 10)).toEqual({ [A]: 100 });
  });

  it("means nothing where none is named", async () => {
    const bench = await pool([...inZone("here", A), ...inZone("there", C)], {});

    expect(shares(bench, 100)).toEqual({ [A]: 50, [C]: 50 });
  });

  it("comes first where one endpoint serves all calls", async () => {
    const options = { zone: "here", loadBalancing: "pick_first" };
    const bench = await pool([...inZone("there", C), ...inZone("here", A)], options);

    expect(shares(bench, 10)).toEqual({ [A]: 100 });
    expect(bench.network.dials).toHaveLength(1);
  });
});

describe("priorities", () => {
  it("send calls down only when the better endpoints have no room or are out of use, whoever was tried", async () => {
    const endpoints = [
      { address: B, priority: 1 },
      { address: A, priority: 0 },
    ];
    const bench = await pool(endpoints, { maxStreamsPerConnection: 1 });
    bench.subchannel(B).connect();
    await settle();
    expect(bench.picks(2)).toEqual([A, A]);
    expect(bench.picks(1, [A])).toEqual([B]);

    bench.connection(A).callStarted();

    expect(bench.picks(2)).toEqual([B, B]);
  });

  it("keep the order of the groups, whatever numbers they have and however they come", async () => {
    const endpoints = [
      { address: C, priority: 9 },
      { address: A, priority: 3 },
      { address: B, priority: 5 },
    ];
    const bench = await pool(endpoints, {}, [A]);

    expect(bench.pool.subchannels.map(({ endpoint }) => endpoint.address)).toEqual([A, B, C]);
    expect(bench.picks(2)).toEqual([B, B]);
  });
});

describe("slow start", () => {
  /** A has been READY for long; B has just come up. */
  async function warmAndNew(options: object = {}, extra: Partial<Endpoint> = {}): Promise<PoolBench> {
    const bench = await pool([{ address: A, ...extra }], { slowStartMs: 10_000, ...options });
    await bench.clock.advance(20_000);
    bench.pool.update([{ address: A, ...extra }, { address: B }]);
    await settle();
    return bench;
  }

  it.each([
    [0, 9.1],
    [500, 9.1],
    [5_000, 33.3],
    [9_000, 47.4],
    [10_000, 50],
  ])("gives an endpoint that is READY for %d ms %d %% of the calls of two", async (ms, percent) => {
    const bench = await warmAndNew();

    await bench.clock.advance(ms);
    const { [B]: share = 0 } = shares(bench);

    expect(share).toBeGreaterThan(percent - 1.5);
    expect(share).toBeLessThan(percent + 1.5);
  });

  it("does not keep calls waiting where there are only new endpoints", async () => {
    const bench = await pool([{ address: A }, { address: B }], { slowStartMs: 10_000 });

    const { queue = 0, [A]: a = 0, [B]: b = 0 } = shares(bench);

    expect(queue).toBe(0);
    expect(Math.abs(a - b)).toBeLessThan(10);
  });

  it("sends nothing to another priority that the best one could take", async () => {
    const bench = await warmAndNew({}, { priority: 1 });
    expect(bench.pool.subchannels.map(({ state }) => state)).toEqual(["READY", "READY"]);

    expect(Object.keys(shares(bench, 1_000))).toEqual([B]);
  });

  it.each(["pick_first", { policy: "ring_hash", minRingSize: 64 }])(
    "means nothing to %o, which goes by order or key",
    async (loadBalancing) => {
      const endpoints = [{ address: A }, { address: B }];
      const [eased, plain] = await Promise.all(
        [10_000, 0].map((slowStartMs) => pool(endpoints, { loadBalancing, slowStartMs })),
      );
      const paths = async (bench: PoolBench | undefined): Promise<string[]> => {
        const picked: string[] = [];
        for (let key = 0; key < 50; key++) {
          const result = bench?.pool.pick({ ...CALL, hashKey: `key ${key}` }, null, true);
          await settle();
          picked.push(result === undefined || result === "queue" || "kind" in result ? "" : result.address);
        }
        return picked;
      };
      await bothReady(eased);
      await bothReady(plain);

      expect(await paths(eased)).toEqual(await paths(plain));
    },
  );
});

/** Connects both endpoints, whatever the policy would do. */
async function bothReady(bench: PoolBench | undefined): Promise<void> {
  for (const { endpoint } of [...(bench?.pool.subchannels ?? [])])
    bench?.subchannel(endpoint.address).connect();
  await settle();
}

it("an update does not begin the turn of the endpoints anew", async () => {
  const bench = await pool([{ address: A }, { address: B }, { address: C }], {});
  const [first] = bench.picks(1);

  bench.pool.update([{ address: A }, { address: B }, { address: C }, { address: E }]);
  const [second] = bench.picks(1);

  expect(second).not.toBe(first);
});

it("an endpoint that is out of use gets no further connection, and calls fail at once (R76, R104)", async () => {
  const bench = await pool([{ address: A }], { maxConnections: 2, maxStreamsPerConnection: 1 });
  bench.connection(A).callStarted();
  bench.gate(A).isOpen = true;

  expect(bench.picks(2)).toEqual(["CIRCUIT_OPEN", "CIRCUIT_OPEN"]);
  await settle();

  expect(bench.network.dials).toHaveLength(1);
});
