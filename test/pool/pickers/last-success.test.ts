import { expect, it } from "vitest";
import { guardedPolicy } from "../../../src/pool/pickers/guarded-picker.js";
import type { PickerPolicy } from "../../../src/pool/pickers/picker.js";
import { settle } from "../../support/manual-clock.js";
import { fixedRandom } from "../../support/seeded-random.js";
import { A, B, C, PoolBench } from "../pool-bench.js";
import { describePicker } from "./picker-contract.js";

/** The example of docs/load-balancing.md. */
const lastSuccess: PickerPolicy = {
  name: "last_success",
  connects: "all",
  create: ({ candidates }) => ({
    pick(filter) {
      let best: (typeof candidates)[number] | null = null;
      for (const candidate of candidates) {
        if (!filter.accepts(candidate)) continue;
        if (best === null || candidate.lastSuccessAt > best.lastSuccessAt) best = candidate;
      }
      return best;
    },
  }),
};

describePicker("one that prefers the endpoint that succeeded last", lastSuccess, { usesAll: false });

it("sends calls to the endpoint that succeeded last, and to the next best while that one is out of use", async () => {
  const troubles: string[] = [];
  const policy = guardedPolicy(lastSuccess, "last_success", (message) => troubles.push(message));
  const bench = await new PoolBench({}, fixedRandom(0), policy).connected(A, B, C);
  const succeed = async (address: string) => {
    const startedAt = bench.clock.now();
    await bench.clock.advance(10);
    bench.subchannel(address).standing.succeeded(startedAt, 10, bench.clock.now());
  };
  expect(bench.picks(2)).toEqual([A, A]);

  await succeed(B);
  await succeed(C);
  expect(bench.picks(3)).toEqual([C, C, C]);
  bench.gate(C).isOpen = true;
  expect(bench.picks(1)).toEqual([B]);
  expect(bench.picks(1, [B])).toEqual([A]);
  bench.gate(C).isOpen = false;
  bench.network.last(C).socket.destroy();
  await settle();
  await succeed(A);

  expect(bench.picks(2)).toEqual([A, A]);
  expect(troubles).toEqual([]);
});
