import { expect, it } from "vitest";
import { throughputRow } from "../../bench/clerk/throughput.js";

it("compares the clients slice by slice, so that a slow second of the machine cancels out", () => {
  const plain = [100, 10, 200].map((operationsPerSecond) => ({ operationsPerSecond, latenciesMs: [1] }));
  const clerk = plain.map(({ operationsPerSecond }, at) => ({
    operationsPerSecond: operationsPerSecond * 2,
    latenciesMs: [at, at + 3],
  }));

  const row = throughputRow("Clerk", clerk, plain);

  expect(row).toMatchObject({ operationsPerSecond: 200, p50Ms: 2.5, ratio: { median: 2, low: 2, high: 2 } });
});
