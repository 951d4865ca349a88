import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BreakerStateWord } from "../../src/core/index.js";
import { BreakerBench } from "./breaker-bench.js";

type Step =
  | { readonly do: "acquire" | "reconnect" }
  | { readonly do: "succeed" | "fail" | "abandon"; readonly which: number }
  | { readonly do: "advance"; readonly ms: number }
  | { readonly do: "floor"; readonly mayOpen: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("acquire" as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom("succeed" as const, "fail" as const, "fail" as const, "abandon" as const),
      which: fc.nat({ max: 50 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("advance" as const), ms: fc.integer({ min: 50, max: 500 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("floor" as const), mayOpen: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reconnect" as const) }) },
);

describe("a breaker under any sequence of events", () => {
  it("keeps its promises: bounded probes, closed after a success, never open against the floor", async () => {
    const seen = new Set<BreakerStateWord>();
    const run = async (probes: number, steps: readonly Step[]) => {
      const bench = new BreakerBench({ consecutiveFailures: 2, openMs: 100, maxOpenMs: 400, probes });
      const inFlight: boolean[] = [];
      let probedAt = Number.NEGATIVE_INFINITY;
      for (const current of steps) {
        const before = bench.breaker.state;
        const told = bench.changes.length;
        const ended =
          "which" in current ? inFlight.splice(current.which % (inFlight.length || 1), 1)[0] : undefined;
        const runningBefore = inFlight.filter((isProbe) => isProbe).length;
        await perform(bench, current, ended, inFlight);
        seen.add(bench.breaker.state);

        const running = inFlight.filter((isProbe) => isProbe).length;
        const now = bench.clock.now();
        // One more than allowed only where the last probe has said nothing for as long as the breaker opens.
        if (running > runningBefore) {
          expect(running <= probes || now - probedAt >= 100).toBe(true);
          probedAt = now;
        }
        if (bench.breaker.state === "closed") expect(bench.breaker.admits()).toBe(true);
        if (bench.breaker.state === "half-open") {
          expect(bench.breaker.admits()).toBe(running < probes || now - probedAt >= 100);
        }
        if (ended === true && before === "half-open" && current.do === "succeed") {
          expect(bench.breaker.state).toBe("closed");
        }
        if (ended === true && before === "half-open" && current.do === "fail") {
          expect(bench.breaker.state).toBe(bench.mayOpen ? "open" : "closed");
        }
        if (ended === false && before !== "closed") expect(bench.breaker.state).toBe(before);
        if (!bench.mayOpen && before !== "open") expect(bench.breaker.state).not.toBe("open");
        expect(bench.changes.length - told).toBe(before === bench.breaker.state ? 0 : 1);
        expect(bench.breaker.retryAt === null).toBe(bench.breaker.state !== "open");
      }
    };

    const sequences = fc.array(step, { minLength: 40, maxLength: 120, size: "max" });
    await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 3 }), sequences, run), { numRuns: 200 });

    expect([...seen].sort()).toEqual(["closed", "half-open", "open"]);
  });
});

async function perform(bench: BreakerBench, current: Step, ended: boolean | undefined, inFlight: boolean[]) {
  const { breaker } = bench;
  if (current.do === "acquire") {
    const wasAdmitted = breaker.admits();
    const isProbe = breaker.acquire();
    expect(isProbe).toBe(wasAdmitted && breaker.state !== "closed");
    if (wasAdmitted) inFlight.push(isProbe);
  } else if (current.do === "reconnect") breaker.reconnected();
  else if (current.do === "floor") bench.mayOpen = current.mayOpen;
  else if (current.do === "advance") await bench.clock.advance(current.ms);
  else if (ended !== undefined) breaker[current.do](ended);
}
