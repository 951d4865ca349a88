import { describe, expect, it } from "vitest";
import { BreakerBench, opened } from "./breaker-bench.js";

const options = { probedBy: "health" } as const;

describe("a breaker that health checks probe", () => {
  it("lets no call of a user find out whether the endpoint is back", async () => {
    const bench = opened(options);

    await bench.clock.advance(3_600_000);

    expect(bench.breaker.admits()).toBe(false);
    expect(bench.breaker.acquire()).toBe(false);
    expect(bench.breaker.state).toBe("open");
  });

  it("closes when the endpoint is healthy once its time is up", async () => {
    const bench = opened(options);
    await bench.clock.advance(5_000);

    bench.breaker.healthy();

    expect(bench.changes.at(-1)).toEqual(["open", "closed", undefined]);
    expect(bench.breaker.admits()).toBe(true);
  });

  it("believes no health check before, so that a healthy server that fails its calls is spared them", async () => {
    const bench = opened(options);
    await bench.clock.advance(4_999);

    bench.breaker.healthy();

    expect(bench.breaker.state).toBe("open");
    expect(bench.retryInMs).toBe(1);
  });

  it("opens for twice as long when no call succeeds after it closed, and starts anew when one does", async () => {
    const bench = opened(options);
    const waits = [bench.retryInMs];
    for (let round = 0; round < 2; round++) {
      await bench.clock.advance(bench.retryInMs!);
      bench.breaker.healthy();
      bench.fail(5);
      waits.push(bench.retryInMs);
    }
    await bench.clock.advance(bench.retryInMs!);
    bench.breaker.healthy();
    bench.breaker.succeed(bench.breaker.acquire());
    bench.fail(5);
    waits.push(bench.retryInMs);

    expect(waits).toEqual([5_000, 10_000, 20_000, 5_000]);
  });

  it("counts failures from zero when it has closed", async () => {
    const bench = opened(options);
    await bench.clock.advance(5_000);
    bench.breaker.healthy();

    bench.fail(4);

    expect(bench.breaker.state).toBe("closed");
  });

  it("waits for the health check of a fresh connection, and for no longer", () => {
    const bench = opened(options);

    bench.breaker.reconnected();
    expect([bench.breaker.state, bench.breaker.admits()]).toEqual(["half-open", false]);
    bench.breaker.healthy();

    expect(bench.breaker.state).toBe("closed");
  });

  it("closes with a fresh connection where only connections had failed", () => {
    const bench = new BreakerBench(options);
    for (let n = 0; n < 5; n++) bench.breaker.fail(bench.breaker.acquire(), true);
    expect(bench.breaker.state).toBe("open");

    bench.breaker.reconnected();

    expect(bench.breaker.state).toBe("closed");
  });

  it("stays out of use while it is isolated by hand", async () => {
    const bench = opened(options);
    using _isolation = bench.breaker.isolate();
    await bench.clock.advance(5_000);

    bench.breaker.healthy();

    expect(bench.breaker.admits()).toBe(false);
  });
});

it("a breaker that calls probe is not closed by a health check", async () => {
  const bench = opened();
  await bench.clock.advance(5_000);

  bench.breaker.healthy();

  expect(bench.breaker.state).toBe("open");
});
