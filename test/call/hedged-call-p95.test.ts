import { describe, expect, it } from "vitest";
import { answer, hedgedBench } from "./hedges.js";

const attempts = (bench: Awaited<ReturnType<typeof hedgedBench>>) => bench.network.calls.length;

describe("with delayMs p95 a hedge", () => {
  const P95 = { hedging: { maxAttempts: 2, delayMs: "p95" as const, initialDelayMs: 300 } };

  /** So many calls that answer after so long. */
  async function answered(bench: Awaited<ReturnType<typeof hedgedBench>>, count: number, ms: number) {
    for (let n = 0; n < count; n++) {
      await bench.unary();
      const { current } = bench.network;
      await bench.advance(ms);
      current.ok();
      await bench.settle();
    }
  }

  /** When the second attempt of the next call starts. */
  async function hedgeDelay(bench: Awaited<ReturnType<typeof hedgedBench>>) {
    await bench.unary();
    const before = attempts(bench);
    let ms = 0;
    while (attempts(bench) === before && ms < 1_000) ms += await bench.advance(1).then(() => 1);
    return ms;
  }

  it("starts after initialDelayMs until 20 answers are known (R32)", async () => {
    const bench = await hedgedBench(P95);
    await answered(bench, 19, 10);

    expect(await hedgeDelay(bench)).toBe(300);
  });

  it("starts as late as 95 % of the method's answers came (R32)", async () => {
    const bench = await hedgedBench(P95);
    await answered(bench, 19, 10);
    await answered(bench, 1, 200);

    expect(await hedgeDelay(bench)).toBe(10);
  });

  it("learns from one method nothing about another", async () => {
    const bench = await hedgedBench(P95);
    await answered(bench, 20, 10);
    const { network } = bench;

    await bench.unary({ method: "/test.Echo/Other" });
    const before = network.calls.length;
    await bench.advance(299);
    expect(network.calls).toHaveLength(before);
    await bench.advance(1);

    expect(network.calls).toHaveLength(before + 1);
  });

  it("counts a loser with the time it took at least, where that was long (R41)", async () => {
    const bench = await hedgedBench(P95);
    await answered(bench, 20, 10);

    for (let n = 0; n < 40; n++) {
      const first = attempts(bench);
      await bench.unary();
      while (attempts(bench) === first + 1) await bench.advance(1);
      // The hedge answers fast; the first attempt would have taken longer still.
      await bench.advance(60);
      await answer(bench, first + 1);
    }

    expect(await hedgeDelay(bench)).toBeGreaterThan(60);
  });
});
