import { expect, it } from "vitest";
import { consistentHash, ringHash } from "../../../src/pool/pickers/ring-hash.js";
import {
  consistentHashOptionsSchema,
  ringHashOptionsSchema,
} from "../../../src/pool/pickers/ring-hash-options.js";
import { settle } from "../../support/manual-clock.js";
import { fixedRandom } from "../../support/seeded-random.js";
import { A, B, C, PoolBench } from "../pool-bench.js";
import { pickCall } from "./fake-candidate.js";

/** Endpoints that nobody has connected yet, and where calls with one key go. */
function scene(policy = ringHash(ringHashOptionsSchema.parse({}))) {
  const bench = new PoolBench({}, fixedRandom(0), policy);
  bench.pool.connect();
  bench.set(A, B, C);
  const pick = () => {
    const result = bench.pool.pick(pickCall("key"), null, false);
    if (result === "queue") return "queue";
    return "kind" in result ? result.reason : result.address;
  };
  const dialled = () => bench.network.dials.map(({ endpoint }) => endpoint.address);
  return { bench, pick, dialled };
}

it("connects the key's next endpoint, and not the one whose breaker is open, under ring_hash", async () => {
  const probe = scene();
  probe.pick();
  const [home] = probe.dialled() as [string];
  const { bench, pick, dialled } = scene();
  bench.gate(home).isOpen = true;

  expect(pick()).toBe("queue");
  await settle();
  const next = pick();

  expect(dialled()).toEqual([next]);
  expect(next).not.toBe(home);
  bench.gate(home).isOpen = false;
  expect(pick()).toBe("queue");
  await settle();
  expect(pick()).toBe(home);
});

it("fails calls at once, and connects none, where every endpoint's breaker is open under consistent_hash", () => {
  const { bench, pick, dialled } = scene(consistentHash(consistentHashOptionsSchema.parse({})));
  for (const address of [A, B, C]) bench.gate(address).isOpen = true;

  expect(pick()).toBe("CIRCUIT_OPEN");
  expect(dialled()).toEqual([]);
});
