import { describe, expect, it } from "vitest";
import type { Endpoint } from "../../src/core/index.js";
import { settle } from "../support/manual-clock.js";
import { A, B, C, PoolBench } from "./pool-bench.js";

const D = "10.0.0.4:1";
const PRIMARY: Endpoint = { address: A, priority: 0 };
const SECOND: Endpoint = { address: B, priority: 0 };
const BACKUP: Endpoint = { address: C, priority: 1 };

/** A pool whose endpoints meet these dials. */
async function connecting(
  loadBalancing: string,
  plans: Readonly<Record<string, "ready" | "refuse" | "hang">>,
  endpoints: readonly Endpoint[] = [{ address: A }, { address: B }, { address: C }],
  options: object = {},
): Promise<PoolBench> {
  const bench = new PoolBench({ loadBalancing, ...options });
  for (const [address, plan] of Object.entries(plans)) bench.network.plan(address, plan);
  bench.pool.connect();
  bench.pool.update(endpoints);
  await settle();
  return bench;
}

function dialled(bench: PoolBench): string[] {
  return bench.network.dials.map(({ endpoint }) => endpoint.address);
}

describe("pick_first tries the addresses in turn (R114)", () => {
  it("and goes on to the next when one has not answered for 250 ms, while that one goes on", async () => {
    const bench = await connecting("pick_first", { [A]: "hang", [B]: "hang", [C]: "hang" });
    await bench.clock.advance(249);
    expect(dialled(bench)).toEqual([A]);

    await bench.clock.advance(1);
    expect(dialled(bench)).toEqual([A, B]);
    await bench.clock.advance(250);

    expect(dialled(bench)).toEqual([A, B, C]);
    expect(bench.states).toEqual(["CONNECTING", "CONNECTING", "CONNECTING"]);
  });

  it("and goes on at once when one fails", async () => {
    const bench = await connecting("pick_first", { [A]: "refuse", [B]: "refuse", [C]: "ready" });

    expect(dialled(bench)).toEqual([A, B, C]);
    expect(bench.words.at(-1)).toBe("READY");
  });

  it("and a failure in the middle is no reason to wait for the next one", async () => {
    const bench = await connecting("pick_first", { [A]: "hang", [B]: "refuse", [C]: "ready" });

    await bench.clock.advance(250);

    expect(dialled(bench)).toEqual([A, B, C]);
    expect(bench.picks(1)).toEqual([C]);
  });

  it("and settles on the first that is READY: the others are given up, with sockets and timers", async () => {
    const bench = await connecting("pick_first", { [A]: "hang", [B]: "ready" });

    await bench.clock.advance(250);

    expect(bench.states).toEqual(["IDLE", "READY", "IDLE"]);
    expect(bench.openSockets).toBe(1);
    expect(bench.clock.pendingTimers).toBe(0);
    expect(bench.picks(2)).toEqual([B, B]);
  });

  it("and an early one that answers late still wins", async () => {
    const bench = await connecting("pick_first", { [A]: "hang", [B]: "hang" });
    await bench.clock.advance(250);

    await bench.network.last(A).accept();
    await settle();

    expect(bench.states).toEqual(["READY", "IDLE", "IDLE"]);
    expect(bench.openSockets).toBe(1);
  });

  it("and is in failure only once all have failed, until one is READY (R115)", async () => {
    const bench = await connecting("pick_first", { [A]: "refuse", [B]: "hang", [C]: "refuse" });
    await bench.clock.advance(250);
    expect(bench.words.at(-1)).toBe("CONNECTING");

    bench.network.last(B).refuse();
    await settle();
    expect(bench.words.at(-1)).toBe("TRANSIENT_FAILURE");
    for (const address of [A, B, C]) bench.network.plan(address, "hang");
    await bench.clock.advance(1_300);
    expect(bench.words.at(-1)).toBe("TRANSIENT_FAILURE");
    await bench.network.last(C).accept();
    await settle();

    expect(bench.words.at(-1)).toBe("READY");
  });

  it("and begins anew with a new list (R116)", async () => {
    const hanging = { [A]: "hang", [B]: "hang", [C]: "hang", [D]: "hang" } as const;
    const bench = await connecting("pick_first", hanging, [{ address: A }, { address: D }]);
    await bench.clock.advance(5_000);

    bench.set(B, C);
    await settle();
    expect(dialled(bench)).toEqual([A, D, B]);
    expect(bench.network.last(A).isClosed).toBe(true);
    await bench.clock.advance(250);

    expect(dialled(bench)).toEqual([A, D, B, C]);
  });

  it("and connects the next one when the one in use is kept out by its breaker", async () => {
    const bench = await connecting("pick_first", {});
    bench.gate(A).isOpen = true;

    bench.pool.reassess(A);
    await settle();

    expect(bench.states).toEqual(["READY", "READY", "IDLE"]);
    expect(bench.picks(1)).toEqual([B]);
  });
});

describe.each(["round_robin", "pick_first"])("endpoints of a lower priority under %s", (policy) => {
  it("are left alone while a better one is READY", async () => {
    const bench = await connecting(policy, { [B]: "refuse" }, [PRIMARY, SECOND, BACKUP]);

    await bench.clock.advance(60_000);

    expect(dialled(bench)).not.toContain(C);
    expect(new Set(bench.picks(4))).toEqual(new Set([A]));
  });

  it("are connected at once when all the better ones have failed", async () => {
    const bench = await connecting(policy, { [A]: "refuse", [B]: "refuse" }, [PRIMARY, SECOND, BACKUP]);

    expect(bench.picks(1)).toEqual([C]);
  });

  it("give way as soon as a better one is back", async () => {
    const bench = await connecting(policy, { [A]: "refuse", [B]: "refuse" }, [BACKUP, PRIMARY, SECOND]);
    expect(bench.picks(2)).toEqual([C, C]);

    bench.network.plan(A, "ready");
    await bench.clock.advance(1_300);

    expect(bench.picks(4)).toEqual([A, A, A, A]);
  });
});

describe("endpoints of a lower priority under round_robin", () => {
  it("are connected when the better ones have not come up for a second", async () => {
    const bench = await connecting("round_robin", { [A]: "hang", [B]: "hang" }, [PRIMARY, SECOND, BACKUP]);
    await bench.clock.advance(999);
    expect(dialled(bench)).toEqual([A, B]);
    expect(bench.picks(1)).toEqual(["queue"]);

    await bench.clock.advance(1);

    expect(bench.picks(1)).toEqual([C]);
  });

  it("are connected when the better ones are kept out of use, by health or by their breakers", async () => {
    const bench = await connecting("round_robin", {}, [PRIMARY, BACKUP]);
    expect(dialled(bench)).toEqual([A]);
    bench.gate(A).isOpen = true;

    bench.pool.reassess(A);
    await settle();

    expect(bench.picks(2)).toEqual([C, C]);
  });

  it("leave no timer once a better one is READY", async () => {
    const bench = await connecting("round_robin", { [A]: "hang" }, [PRIMARY, BACKUP]);
    expect(bench.clock.pendingTimers).toBe(2);

    await bench.network.last(A).accept();
    await settle();

    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("count for maxConnectedEndpoints only when they are needed", async () => {
    const bench = await connecting("round_robin", { [A]: "refuse" }, [PRIMARY, SECOND, BACKUP], {
      maxConnectedEndpoints: 1,
    });

    expect(bench.states).toEqual(["TRANSIENT_FAILURE", "READY", "IDLE"]);
  });
});

it("a pool that is destroyed while it looks for an endpoint leaves no timer and no socket", async () => {
  const bench = await connecting("pick_first", { [A]: "hang", [B]: "hang" });
  await bench.clock.advance(300);

  bench.pool.destroy();
  await settle();

  expect(bench.clock.pendingTimers).toBe(0);
  expect(bench.openSockets).toBe(0);
});
