import { expect, it } from "vitest";
import { KeepalivePace } from "../../src/pool/keepalive-pace.js";

function pace(timeMs: number) {
  const raises: string[] = [];
  return { raises, pace: new KeepalivePace(timeMs, (from, to) => void raises.push(`${from} -> ${to}`)) };
}

it.each([
  [19_999, 10_000],
  [20_000, 20_000],
  [40_000, 20_000],
  [100_000, 20_000],
  [100_001, 10_000],
])("R68: pings every 10 s and a goodbye after %d ms make that every %d ms", (livedMs, expected) => {
  const bench = pace(10_000);

  bench.pace.noteEnd(livedMs);

  expect(bench.pace.timeMs).toBe(expected);
  expect(bench.raises).toHaveLength(expected === 10_000 ? 0 : 1);
});

it("R68: doubles again for each connection that ends so at the pace of that time, and says each step", () => {
  const bench = pace(10_000);

  bench.pace.noteEnd(30_000);
  bench.pace.noteEnd(30_000);
  bench.pace.noteEnd(60_000);

  expect(bench.raises).toEqual(["10000 -> 20000", "20000 -> 40000"]);
});

it("R69: goes no further than the two hours that servers allow by default", () => {
  const bench = pace(5_000_000);

  for (let end = 0; end < 3; end++) bench.pace.noteEnd(15_000_000);

  expect(bench.pace.timeMs).toBe(7_200_000);
  expect(bench.raises).toEqual(["5000000 -> 7200000"]);
});
