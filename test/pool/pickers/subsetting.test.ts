import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Endpoint, parseOptions } from "../../../src/core/index.js";
import {
  deterministicSubset,
  randomSubset,
  subsettingOptionsSchema,
} from "../../../src/pool/pickers/subsetting.js";
import { configErrorOf } from "../../support/config-error.js";

function endpoints(count: number): Endpoint[] {
  return Array.from({ length: count }, (_, index) => ({ address: `10.0.${index >> 8}.${index & 255}:1` }));
}

const sizes = fc.tuple(fc.integer({ min: 2, max: 60 }), fc.integer({ min: 1, max: 60 }));

describe("random_subsetting", () => {
  it("changes one endpoint of the subset at most when one comes or goes (R135)", () => {
    fc.assert(
      fc.property(sizes, fc.nat(59), fc.nat(2 ** 40), ([count, size], at, seed) => {
        const all = endpoints(count);
        const fewer = all.filter((_, index) => index !== at % count);

        const before = randomSubset(all, size, seed);
        const after = randomSubset(fewer, size, seed);

        expect(before).toHaveLength(Math.min(size, count));
        expect(after).toHaveLength(Math.min(size, count - 1));
        expect(before.filter((one) => !after.includes(one)).length).toBeLessThanOrEqual(1);
        expect(after.filter((one) => !before.includes(one)).length).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("takes those whose seeded hash is lowest (R135)", () => {
    // By the reference implementation of XXH64, for seed 7.
    expect(randomSubset(endpoints(5), 2, 7)).toEqual([{ address: "10.0.0.0:1" }, { address: "10.0.0.2:1" }]);
  });

  it.each([5, 6, 1_000_000])("uses all of five endpoints when told to use %d (R135)", (size) => {
    expect(randomSubset(endpoints(5), size, 1)).toEqual(endpoints(5));
  });

  it("keeps the resolver's order, and does not depend on it", () => {
    const all = endpoints(40);
    const subset = randomSubset(all, 10, 3);

    expect(subset).toEqual(all.filter((one) => subset.includes(one)));
    expect(randomSubset(all.toReversed(), 10, 3)).toEqual(subset.toReversed());
  });

  it("gives clients with different seeds different subsets, so that all endpoints are used alike", () => {
    const all = endpoints(20);
    const uses = new Map(all.map((one) => [one, 0]));

    for (let seed = 0; seed < 2_000; seed++)
      for (const one of randomSubset(all, 5, seed)) uses.set(one, uses.get(one)! + 1);

    for (const used of uses.values()) expect(Math.abs(used - 500)).toBeLessThan(100);
  });
});

/** How many of the clients use each endpoint. */
function uses(all: readonly Endpoint[], size: number, clients: number): number[] {
  const counts = new Map(all.map((one) => [one, 0]));
  for (let client = 0; client < clients; client++)
    for (const one of deterministicSubset(all, size, client)) counts.set(one, counts.get(one)! + 1);
  return [...counts.values()];
}

describe("deterministic_subsetting", () => {
  it("has each endpoint used by as many clients as any other when rounds come out even (R136)", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: 2, max: 8 }),
        fc.integer({ min: 1, max: 5 }),
        (size, perRound, rounds) => {
          const used = uses(endpoints(size * perRound), size, perRound * rounds);

          expect(new Set(used)).toEqual(new Set([rounds]));
        },
      ),
    );
  });

  it("has no endpoint used by more than one client more than another after whole rounds (R136)", () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 12 }), ([count, size], rounds) => {
        const perRound = Math.max(1, Math.floor(count / size));
        const used = uses(endpoints(count), size, perRound * rounds);

        expect(Math.max(...used) - Math.min(...used)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("gives every client of every number a subset of the size asked for (R136)", () => {
    fc.assert(
      fc.property(sizes, fc.nat(1_000_000_000), ([count, size], client) => {
        const all = endpoints(count);
        const subset = deterministicSubset(all, size, client);

        expect(subset).toEqual(all.filter((one) => subset.includes(one)));
        expect(subset).toHaveLength(Math.min(size, count));
      }),
    );
  });

  it("shuffles each round anew, so that what a lost endpoint leaves behind falls on many", () => {
    const all = endpoints(100);
    const neighbours = new Set<Endpoint>();

    for (let client = 0; client < 50; client++) {
      const subset = deterministicSubset(all, 10, client);
      if (subset.includes(all[0]!)) for (const one of subset) neighbours.add(one);
    }

    expect(neighbours.size).toBeGreaterThan(25);
  });

  it("does not depend on the resolver's order", () => {
    const all = endpoints(23);

    for (let client = 0; client < 30; client++)
      expect(deterministicSubset(all.toReversed(), 5, client)).toEqual(
        deterministicSubset(all, 5, client).toReversed(),
      );
  });
});

describe("options of subsetting", () => {
  const parse = (input: unknown) => parseOptions(subsettingOptionsSchema, input, "subsetting");

  it("are taken as they are", () => {
    const random = { policy: "random_subsetting", subsetSize: 20 };
    const numbered = { policy: "deterministic_subsetting", subsetSize: 1, clientIndex: 0 };

    expect(parse(random)).toEqual(random);
    expect(parse(numbered)).toEqual(numbered);
  });

  it.each([
    [{ policy: "random_subsetting" }, "subsetSize is undefined; allowed: "],
    [{ policy: "random_subsetting", subsetSize: 0 }, "subsetSize is 0; allowed: 1 or more"],
    [{ policy: "random_subsetting", subsetSize: 1.5 }, "subsetSize is 1.5; allowed: "],
    [{ policy: "random_subsetting", subsetSize: 5, clientIndex: 1 }, "clientIndex is not a known key"],
    [{ policy: "deterministic_subsetting", subsetSize: 5 }, "clientIndex is undefined; allowed: "],
    [
      { policy: "deterministic_subsetting", subsetSize: 5, clientIndex: -1 },
      "clientIndex is -1; allowed: 0 or more",
    ],
    [{ policy: "subsetting", subsetSize: 5 }, "policy is "],
  ])("refuse %j (R135)", (input, problem) => {
    expect(configErrorOf(() => parse(input)).details).toContain(problem);
  });
});
