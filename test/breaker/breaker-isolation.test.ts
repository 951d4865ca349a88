import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Subscription } from "../../src/core/index.js";
import { BreakerBench, opened } from "./breaker-bench.js";

describe("isolating an endpoint by hand", () => {
  it("lets nothing through, for as long as it lasts", async () => {
    const bench = new BreakerBench();

    const isolation = bench.breaker.isolate();
    await bench.clock.advance(3_600_000);

    expect(bench.breaker.state).toBe("open");
    expect(bench.breaker.retryAt).toBeNull();
    expect(bench.breaker.admits()).toBe(false);
    expect(bench.breaker.acquire()).toBe(false);
    isolation.dispose();
    expect(bench.breaker.state).toBe("closed");
    expect(bench.breaker.admits()).toBe(true);
    expect(bench.changes).toEqual([
      ["closed", "open", undefined],
      ["open", "closed", undefined],
    ]);
  });

  it("asks no panic floor", () => {
    const bench = new BreakerBench();
    bench.mayOpen = false;

    bench.breaker.isolate();

    expect(bench.breaker.admits()).toBe(false);
  });

  it("lasts until the last one who asked for it has let go, however often the others do", () => {
    const bench = new BreakerBench();
    const first = bench.breaker.isolate();
    const second = bench.breaker.isolate();

    first.dispose();
    first.dispose();
    expect(bench.breaker.admits()).toBe(false);
    second.dispose();

    expect(bench.breaker.admits()).toBe(true);
    expect(bench.changes).toHaveLength(2);
  });

  it("ends with the block that holds it", () => {
    const bench = new BreakerBench();
    {
      using _isolation = bench.breaker.isolate();
      expect(bench.breaker.state).toBe("open");
    }
    expect(bench.breaker.state).toBe("closed");
  });

  it("leaves an endpoint open that was open before, and tells of no change", async () => {
    const bench = opened();
    const isolation = bench.breaker.isolate();
    await bench.clock.advance(4_999);

    isolation.dispose();

    expect(bench.changes).toHaveLength(1);
    expect(bench.retryInMs).toBe(1);
    expect(await bench.takeProbe()).toBe(true);
  });

  it("leaves an endpoint half-open that was half-open before, with the permit of a probe that ended meanwhile", async () => {
    const bench = opened();
    const isProbe = await bench.takeProbe();
    const isolation = bench.breaker.isolate();
    expect(bench.breaker.state).toBe("open");

    bench.breaker.succeed(isProbe);
    isolation.dispose();

    expect(bench.changes.slice(-2)).toEqual([
      ["half-open", "open", undefined],
      ["open", "half-open", undefined],
    ]);
    expect(bench.breaker.acquire()).toBe(true);
  });

  it("may begin anew after it has ended", () => {
    const bench = new BreakerBench();
    const first = bench.breaker.isolate();
    first.dispose();
    bench.breaker.isolate();

    first.dispose();

    expect(bench.breaker.admits()).toBe(false);
  });

  it("holds a late failure of the server's against nobody: a fresh connection still proves lost ones to be over", () => {
    const bench = new BreakerBench();
    for (let n = 0; n < 5; n++) bench.breaker.fail(bench.breaker.acquire(), true);
    const isolation = bench.breaker.isolate();

    bench.breaker.fail(false);
    isolation.dispose();
    bench.breaker.reconnected();

    expect(bench.breaker.state).toBe("closed");
  });

  it("learns nothing meanwhile, and so is afterwards as it was, whatever happened", async () => {
    type Step = "acquire" | "succeed" | "fail" | "lose" | "reconnect" | "advance" | "isolate" | "release";
    const words: Step[] = [
      "acquire",
      "succeed",
      "fail",
      "fail",
      "lose",
      "reconnect",
      "advance",
      "isolate",
      "release",
    ];
    let isolatedSteps = 0;

    const run = async (steps: readonly Step[]) => {
      const isolated = new BreakerBench({ consecutiveFailures: 2, openMs: 100, maxOpenMs: 400 });
      // The same, but nobody isolates it: what would end in isolation says nothing instead.
      const spared = new BreakerBench({ consecutiveFailures: 2, openMs: 100, maxOpenMs: 400 });
      const held: Subscription[] = [];
      const inFlight: boolean[] = [];
      for (const step of steps) {
        if (step === "isolate") held.push(isolated.breaker.isolate());
        else if (step === "release") held.pop()?.dispose();
        else if (step === "advance")
          await Promise.all([isolated.clock.advance(60), spared.clock.advance(60)]);
        else if (held.length > 0) {
          isolatedSteps++;
          during(step, isolated, spared, inFlight);
          expect([isolated.breaker.state, isolated.breaker.retryAt, isolated.breaker.admits()]).toEqual([
            "open",
            null,
            false,
          ]);
        } else alike(step, isolated, spared, inFlight);

        if (held.length > 0) continue;
        expect(isolated.breaker.state).toBe(spared.breaker.state);
        expect(isolated.retryInMs).toBe(spared.retryInMs);
        expect(isolated.breaker.admits()).toBe(spared.breaker.admits());
      }
    };
    const during = (step: Step, isolated: BreakerBench, spared: BreakerBench, inFlight: boolean[]) => {
      if (step === "acquire") expect(isolated.breaker.acquire()).toBe(false);
      else if (step === "reconnect") isolated.breaker.reconnected();
      else {
        const isProbe = inFlight.shift();
        if (isProbe === undefined) return;
        end(step, isolated, isProbe);
        spared.breaker.abandon(isProbe);
      }
    };
    const alike = (step: Step, isolated: BreakerBench, spared: BreakerBench, inFlight: boolean[]) => {
      if (step === "reconnect") for (const { breaker } of [isolated, spared]) breaker.reconnected();
      else if (step === "acquire") {
        if (!spared.breaker.admits()) return;
        const isProbe = spared.breaker.acquire();
        expect(isolated.breaker.acquire()).toBe(isProbe);
        inFlight.push(isProbe);
      } else {
        const isProbe = inFlight.shift();
        if (isProbe === undefined) return;
        end(step, isolated, isProbe);
        end(step, spared, isProbe);
      }
    };
    const end = (step: Step, { breaker }: BreakerBench, isProbe: boolean) => {
      if (step === "succeed") breaker.succeed(isProbe);
      else breaker.fail(isProbe, step === "lose");
    };

    const sequences = fc.array(fc.constantFrom(...words), { minLength: 40, maxLength: 100, size: "max" });
    await fc.assert(fc.asyncProperty(sequences, run), { numRuns: 100 });

    expect(isolatedSteps).toBeGreaterThan(500);
  });
});
