import { describe, expect, it } from "vitest";
import { BreakerBench, opened } from "./breaker-bench.js";

describe("a half-open breaker", () => {
  it("closes when its probe succeeds, and counts failures from zero", async () => {
    const bench = opened();
    const isProbe = await bench.takeProbe();

    bench.breaker.succeed(isProbe);
    expect(bench.breaker.state).toBe("closed");
    expect(bench.changes.at(-1)).toEqual(["half-open", "closed", undefined]);

    bench.fail(4);
    expect(bench.breaker.state).toBe("closed");
  });

  it("G26: opens again on one failed probe", async () => {
    const bench = opened();

    bench.breaker.fail(await bench.takeProbe());

    expect(bench.breaker.state).toBe("open");
    expect(bench.changes.at(-1)).toEqual(["half-open", "open", 10_000]);
  });

  it("doubles its time with every failed probe, up to maxOpenMs", async () => {
    const bench = opened();
    const waits = [bench.retryInMs];

    for (let probe = 0; probe < 5; probe++) {
      bench.breaker.fail(await bench.takeProbe());
      waits.push(bench.retryInMs);
    }

    expect(waits).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  });

  it("starts from openMs again after a probe succeeded", async () => {
    const bench = opened();
    bench.breaker.fail(await bench.takeProbe());
    bench.breaker.succeed(await bench.takeProbe());

    bench.fail(5);

    expect(bench.retryInMs).toBe(5_000);
  });

  it("lets the next outage have its probe after one that succeeded", async () => {
    const bench = opened();
    bench.breaker.succeed(await bench.takeProbe());

    bench.fail(5);

    expect(await bench.takeProbe()).toBe(true);
  });

  it("forgets whose fault the last outage was, once its probe succeeded", async () => {
    const bench = opened();
    bench.breaker.succeed(await bench.takeProbe());
    for (let n = 0; n < 5; n++) bench.breaker.fail(bench.breaker.acquire(), true);
    expect(bench.breaker.state).toBe("open");

    bench.breaker.reconnected();

    expect(bench.breaker.state).toBe("closed");
  });

  it("wants a probe after a fresh connection where the last one failed by the server's fault", async () => {
    const bench = new BreakerBench();
    for (let n = 0; n < 5; n++) bench.breaker.fail(bench.breaker.acquire(), true);
    bench.breaker.fail(await bench.takeProbe());

    bench.breaker.reconnected();

    expect(bench.breaker.state).toBe("half-open");
  });

  it("G22: lets exactly one probe through by default", async () => {
    const bench = opened();
    await bench.takeProbe();

    expect(bench.breaker.admits()).toBe(false);
    expect(bench.breaker.acquire()).toBe(false);
  });

  it("lets as many probes through at once as the user set", async () => {
    const bench = opened({ probes: 3 });
    await bench.clock.advance(5_000);

    const probes = Array.from({ length: 5 }, () => bench.breaker.acquire());

    expect(probes).toEqual([true, true, true, false, false]);
  });

  it("gives the permit of a cancelled probe to the next attempt", async () => {
    const bench = opened();
    const isProbe = await bench.takeProbe();

    bench.breaker.abandon(isProbe);

    expect(bench.breaker.state).toBe("half-open");
    expect(bench.breaker.admits()).toBe(true);
    expect(bench.breaker.acquire()).toBe(true);
  });

  it("is not moved by late results of attempts that were no probes", async () => {
    const bench = opened();
    await bench.takeProbe();

    bench.breaker.succeed(false);
    bench.breaker.fail(false);
    bench.breaker.abandon(false);

    expect(bench.breaker.state).toBe("half-open");
    expect(bench.breaker.admits()).toBe(false);
  });

  it("closes instead of opening when the panic floor was reached meanwhile", async () => {
    const bench = opened();
    const isProbe = await bench.takeProbe();
    bench.mayOpen = false;

    bench.breaker.fail(isProbe);

    expect(bench.breaker.state).toBe("closed");
  });

  it("stays open when a second probe succeeds after the first one failed", async () => {
    const bench = opened({ probes: 2 });
    const first = await bench.takeProbe();
    const second = bench.breaker.acquire();

    bench.breaker.fail(first);
    bench.breaker.succeed(second);

    expect(bench.breaker.state).toBe("open");
  });

  it("counts a probe that outlived its half-open state among those of the next", async () => {
    const bench = opened({ probes: 2 });
    const first = await bench.takeProbe();
    const hanging = bench.breaker.acquire();
    bench.breaker.fail(first);

    expect(await bench.takeProbe()).toBe(true);
    expect(bench.breaker.admits()).toBe(false);

    bench.breaker.abandon(hanging);
    expect(bench.breaker.admits()).toBe(true);
  });
});

it("a probe that says nothing, such as a quiet watch, keeps others out for no longer than openMs", async () => {
  const bench = new BreakerBench({ consecutiveFailures: 1, openMs: 100, maxOpenMs: 400, probes: 1 });
  bench.breaker.fail(bench.breaker.acquire());
  await bench.clock.advance(200);
  const watch = bench.breaker.acquire();

  expect(watch).toBe(true);
  await bench.clock.advance(99);
  expect(bench.breaker.admits()).toBe(false);
  await bench.clock.advance(1);
  const second = bench.breaker.acquire();
  bench.breaker.succeed(second);

  expect([second, bench.breaker.state]).toEqual([true, "closed"]);
  bench.breaker.abandon(watch);
  expect(bench.breaker.state).toBe("closed");
});
