import { describe, expect, it } from "vitest";
import { BreakerBench, opened } from "./breaker-bench.js";

describe("a closed breaker", () => {
  it("lets attempts through and asks for no probes", () => {
    const { breaker } = new BreakerBench();

    expect(breaker.state).toBe("closed");
    expect(breaker.retryAt).toBeNull();
    expect(breaker.admits()).toBe(true);
    expect(breaker.acquire()).toBe(false);
  });

  it("opens on the fifth failure in a row, not before", () => {
    const bench = new BreakerBench();

    bench.fail(4);
    expect(bench.breaker.state).toBe("closed");

    bench.fail(1);
    expect(bench.breaker.state).toBe("open");
    expect(bench.changes).toEqual([["closed", "open", 5_000]]);
  });

  it("counts anew after a success", () => {
    const bench = new BreakerBench();
    bench.fail(4);

    bench.breaker.succeed(false);
    bench.fail(4);

    expect(bench.breaker.state).toBe("closed");
  });

  it("R41: counts nothing for an attempt that was cancelled", () => {
    const bench = new BreakerBench();
    bench.fail(4);

    bench.breaker.abandon(bench.breaker.acquire());
    expect(bench.breaker.state).toBe("closed");

    bench.fail(1);
    expect(bench.breaker.state).toBe("open");
  });

  it("stays closed while the panic floor forbids opening, and opens with the next failure after that", () => {
    const bench = new BreakerBench();
    bench.mayOpen = false;
    bench.fail(9);
    expect(bench.breaker.state).toBe("closed");

    bench.mayOpen = true;
    bench.fail(1);

    expect(bench.breaker.state).toBe("open");
  });
});

describe("an open breaker", () => {
  it("lets nothing through until its time is up, to the millisecond", async () => {
    const bench = opened();

    await bench.clock.advance(4_999);
    expect(bench.breaker.admits()).toBe(false);
    expect(bench.breaker.acquire()).toBe(false);

    await bench.clock.advance(1);
    expect(bench.breaker.admits()).toBe(true);
  });

  it("still says open when its time is up, and turns half-open when a probe is taken", async () => {
    const bench = opened();
    await bench.clock.advance(5_000);
    expect(bench.breaker.state).toBe("open");

    const isProbe = bench.breaker.acquire();

    expect(isProbe).toBe(true);
    expect(bench.breaker.state).toBe("half-open");
    expect(bench.breaker.retryAt).toBeNull();
    expect(bench.changes.at(-1)).toEqual(["open", "half-open", undefined]);
  });

  it("E49: tells when it will let a probe through", () => {
    const bench = opened();

    expect(bench.breaker.retryAt).toBe(bench.clock.now() + 5_000);
  });

  it("needs no timer, so none can be left running", () => {
    const bench = opened();

    expect(bench.clock.pendingTimers).toBe(0);
  });

  it.each([
    [0, 4_000],
    [1 - 2 ** -53, 6_000],
  ])("spreads its time by 20 %% either way (roll %d)", (roll, expected) => {
    const bench = opened({}, roll);

    expect(bench.retryInMs).toBeCloseTo(expected, 6);
  });

  it("spreads its time after the cap", () => {
    const bench = opened({ openMs: 60_000 }, 1 - 2 ** -53);

    expect(bench.retryInMs).toBeCloseTo(72_000, 6);
  });

  it("is not moved by late results of attempts from before", () => {
    const bench = opened();

    bench.breaker.succeed(false);
    bench.breaker.fail(false);
    bench.breaker.abandon(false);

    expect(bench.changes).toHaveLength(1);
    expect(bench.retryInMs).toBe(5_000);
  });
});

describe("a fresh connection", () => {
  it("lets a probe through before the time is up", () => {
    const bench = opened();

    bench.breaker.reconnected();

    expect(bench.breaker.state).toBe("half-open");
    expect(bench.breaker.acquire()).toBe(true);
    expect(bench.breaker.admits()).toBe(false);
  });

  it("keeps the doubling, so a server that only accepts connections gains nothing", () => {
    const bench = opened();
    bench.breaker.reconnected();

    bench.breaker.fail(bench.breaker.acquire());

    expect(bench.retryInMs).toBe(10_000);
  });

  it("closes the breaker when the panic floor no longer allows it to be out", () => {
    const bench = opened();
    bench.mayOpen = false;

    bench.breaker.reconnected();

    expect(bench.changes.at(-1)).toEqual(["open", "closed", undefined]);
  });

  it("leaves a closed and a half-open breaker as they are", async () => {
    const closed = new BreakerBench();
    const halfOpen = opened();
    await halfOpen.takeProbe();

    closed.breaker.reconnected();
    halfOpen.breaker.reconnected();

    expect(closed.changes).toEqual([]);
    expect(halfOpen.breaker.state).toBe("half-open");
    expect(halfOpen.breaker.admits()).toBe(false);
  });
});
