import { afterEach, describe, expect, it, vi } from "vitest";
import type { BreakerOptions } from "../../src/breaker/breaker-options.js";
import { BreakerBench } from "./breaker-bench.js";

afterEach(() => void vi.useRealTimers());

/** Lets cockatiel, which reads `Date` itself, have the bench's time. */
function benchOnDate(options: BreakerOptions): BreakerBench {
  const bench = new BreakerBench(options);
  vi.useFakeTimers({ toFake: ["Date"], now: bench.clock.epoch() });
  return bench;
}

function tell(bench: BreakerBench, calls: string): void {
  for (const call of calls) {
    const isProbe = bench.breaker.acquire();
    if (call === "f") bench.breaker.fail(isProbe);
    else bench.breaker.succeed(isProbe);
  }
}

describe.each<[string, BreakerOptions]>([
  ["count", { count: { size: 10 } }],
  ["sampling", { sampling: { durationMs: 10_000, minimumRps: 1 } }],
])("a breaker by %s", (_kind, options) => {
  it("opens when half of the calls fail, though never many in a row", () => {
    const bench = benchOnDate(options);

    tell(bench, "f.f.f.f.");
    expect(bench.breaker.state).toBe("closed");
    tell(bench, ".f");

    expect(bench.changes).toEqual([["closed", "open", 5_000]]);
  });

  it("counts anew once a probe has succeeded", async () => {
    const bench = benchOnDate(options);
    tell(bench, "ffffffffff");
    bench.breaker.succeed(await bench.takeProbe());

    tell(bench, "fffffffff");
    expect(bench.breaker.state).toBe("closed");
    tell(bench, "f");

    expect(bench.breaker.state).toBe("open");
  });

  it("counts anew once a fresh connection has proven lost ones to be over", () => {
    const bench = benchOnDate(options);
    for (let n = 0; n < 10; n++) bench.breaker.fail(bench.breaker.acquire(), true);
    expect(bench.breaker.state).toBe("open");

    bench.breaker.reconnected();
    tell(bench, "fffffffff");

    expect(bench.breaker.state).toBe("closed");
  });

  it("wants a probe after a fresh connection where the server itself had failed, in between or not", () => {
    const bench = benchOnDate(options);
    tell(bench, "ffff.");

    for (let n = 0; n < 5; n++) bench.breaker.fail(bench.breaker.acquire(), true);
    bench.breaker.reconnected();

    expect(bench.breaker.state).toBe("half-open");
  });

  it("opens again with the next failure when the panic floor had closed it on a failed probe", async () => {
    const bench = benchOnDate(options);
    tell(bench, "ffffffffff");
    const isProbe = await bench.takeProbe();
    bench.mayOpen = false;
    bench.breaker.fail(isProbe);
    expect(bench.breaker.state).toBe("closed");

    bench.mayOpen = true;
    tell(bench, "f");

    expect(bench.breaker.state).toBe("open");
  });
});
