import { describe, expect, it } from "vitest";
import { SlowCalls } from "../../src/breaker/slow-calls.js";
import { BreakerBench } from "./breaker-bench.js";

/** Answers, `s` for a slow one and `.` for a quick one. @returns what was said of each */
function told(slowCalls: SlowCalls, answers: string): boolean[] {
  return [...answers].map((answer) => slowCalls.record(answer === "s" ? 101 : 100));
}

describe("the rate of slow answers", () => {
  it.each([
    ["once enough are known", { size: 4 }, "sss", false],
    ["once enough are known", { size: 4 }, "ssss", true],
    ["when half of them are slow", { size: 4 }, "..ss", true],
    ["not when fewer are", { size: 4 }, "...s", false],
    ["from the minimum on", { size: 4, minimumCalls: 2 }, ".s", true],
    ["of the last ones alone", { size: 4 }, "ssss...s", false],
    ["of the last ones alone", { size: 4 }, "....ss", true],
    ["when all are slow, at a threshold of 1", { size: 3, threshold: 1 }, ".sss", true],
    ["not when one was quick, at a threshold of 1", { size: 3, threshold: 1 }, "ss.ss", false],
    ["on a slow answer, not on a quick one", { size: 4 }, "sss.", false],
  ])("opens %s: %j after %s is %s", (_what, options, answers, isOpen) => {
    const slowCalls = new SlowCalls({ slowerThanMs: 100, threshold: 0.5, minimumCalls: null, ...options });

    expect(told(slowCalls, answers).at(-1)).toBe(isOpen);
  });

  it("counts right however often the ring went round", () => {
    const slowCalls = new SlowCalls({ slowerThanMs: 100, threshold: 0.5, minimumCalls: null, size: 10 });
    told(slowCalls, "s...".repeat(1_000));

    // Of the last ten two or three are slow.
    expect(told(slowCalls, "..........sssss")).toEqual([...Array(14).fill(false), true]);
  });
});

describe("a breaker that minds slow answers", () => {
  const options = { slowCalls: { slowerThanMs: 100, size: 4 } };
  const answer = (bench: BreakerBench, ms: number | undefined, times = 1) => {
    for (let n = 0; n < times; n++) bench.breaker.succeed(bench.breaker.acquire(), ms);
  };

  it("opens on them, though none of them is a failure", () => {
    const bench = new BreakerBench(options);
    answer(bench, 100, 2);
    answer(bench, 101, 1);
    expect(bench.breaker.state).toBe("closed");

    answer(bench, 101);

    expect(bench.changes).toEqual([["closed", "open", 5_000]]);
  });

  it("goes on counting failures beside them", () => {
    const bench = new BreakerBench(options);
    answer(bench, 1, 4);

    bench.fail(5);

    expect(bench.breaker.state).toBe("open");
  });

  it("learns nothing from an answer whose time says nothing of the endpoint", () => {
    const bench = new BreakerBench(options);

    answer(bench, undefined, 100);
    answer(bench, 500, 3);

    expect(bench.breaker.state).toBe("closed");
  });

  it("stays closed while the panic floor forbids opening, and opens with the next slow answer after that", () => {
    const bench = new BreakerBench(options);
    bench.mayOpen = false;
    answer(bench, 500, 9);
    expect(bench.breaker.state).toBe("closed");

    bench.mayOpen = true;
    answer(bench, 1);
    expect(bench.breaker.state).toBe("closed");
    answer(bench, 500);

    expect(bench.breaker.state).toBe("open");
  });

  it("takes a slow probe for a failed one, and closes on a quick one", async () => {
    const bench = new BreakerBench(options);
    answer(bench, 500, 4);

    bench.breaker.succeed(await bench.takeProbe(), 500);
    expect(bench.changes.at(-1)).toEqual(["half-open", "open", 10_000]);
    bench.breaker.succeed(await bench.takeProbe(), 100);

    expect(bench.breaker.state).toBe("closed");
  });

  it("forgets the slow answers of before when it closes", async () => {
    const bench = new BreakerBench(options);
    answer(bench, 500, 4);
    bench.breaker.succeed(await bench.takeProbe());

    answer(bench, 500, 3);

    expect(bench.breaker.state).toBe("closed");
  });

  it("is not closed by a fresh connection alone: the server was there, and slow", () => {
    const bench = new BreakerBench(options);
    answer(bench, 500, 4);

    bench.breaker.reconnected();

    expect(bench.breaker.state).toBe("half-open");
  });
});
