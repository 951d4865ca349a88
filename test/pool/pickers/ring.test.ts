import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { Xxh64 } from "../../../src/pool/pickers/hash.js";
import { Ring } from "../../../src/pool/pickers/ring.js";
import type { RingMember } from "../../../src/pool/pickers/ring-member.js";
import { entryCounts, type RingSize } from "../../../src/pool/pickers/ring-size.js";

const LAST = 2n ** 64n - 1n;

function members(...weights: number[]): RingMember[] {
  return weights.map((weight, index) => ({ key: `10.0.0.${index}:50051`, weight }));
}

function hashOf(text: string): bigint {
  const hash = new Xxh64();
  hash.update(text);
  return (BigInt(hash.high) << 32n) | BigInt(hash.low);
}

function walk(ring: Ring, hash: bigint): number[] {
  ring.seek(Number(hash >> 32n), Number(hash & 0xffff_ffffn));
  const met: number[] = [];
  for (let index = ring.next(); index >= 0; index = ring.next()) met.push(index);
  return met;
}

/** Entries as the rules have them, with so many for each member. */
function entriesOf(of: readonly RingMember[], counts: readonly number[]) {
  return of
    .flatMap(({ key }, owner) =>
      Array.from({ length: counts[owner]! }, (_, number) => ({ hash: hashOf(`${key}_${number}`), owner })),
    )
    .sort((a, b) => (a.hash < b.hash ? -1 : 1));
}

/** Owners in the order in which a search one by one, from the hash on and around, meets them. */
function plainWalk(entries: ReturnType<typeof entriesOf>, hash: bigint): number[] {
  const from = entries.findIndex((entry) => entry.hash >= hash);
  const rotated = from < 0 ? entries : [...entries.slice(from), ...entries.slice(0, from)];
  return [...new Set(rotated.map(({ owner }) => owner))];
}

describe("the ring", () => {
  it.each([
    { weights: [1], min: 8, max: 8, counts: [8] },
    { weights: [1, 1, 1], min: 1_024, max: 4_096, counts: [342, 342, 342] },
    { weights: [1, 1, 1, 1, 1, 1, 1], min: 1_024, max: 4_096, counts: Array(7).fill(147) },
    { weights: [1, 3], min: 1_024, max: 4_096, counts: [256, 768] },
    { weights: [5, 3, 1], min: 10, max: 100, counts: [10, 6, 2] },
    // The limit wins over the wish for whole numbers: fractions add up until they make an entry.
    { weights: [1, 1, 1], min: 100, max: 100, counts: [34, 33, 33] },
    { weights: [1, 1_000], min: 64, max: 128, counts: [1, 127] },
    { weights: [1, 1, 1, 1], min: 1, max: 2, counts: [1, 0, 1, 0] },
  ])(
    "gives endpoints of weights $weights $counts entries for $min to $max (R129)",
    ({ weights, min, max, counts }) => {
      const of = members(...weights);
      const entries = entriesOf(of, counts);
      const ring = new Ring(of, { min, max });

      expect(ring.size).toBe(entries.length);
      for (const { hash, owner } of entries) expect(walk(ring, hash)[0]).toBe(owner);
    },
  );

  it("finds the first entry that is not before the key, around the end, and then each endpoint once (R130)", () => {
    const of = members(1, 2, 1, 1, 3);
    const entries = entriesOf(of, [13, 26, 13, 13, 39]);
    const ring = new Ring(of, { min: 100, max: 200 });
    const hashes = fc.oneof(
      fc.bigInt({ min: 0n, max: LAST }),
      fc
        .tuple(fc.constantFrom(...entries), fc.constantFrom(-1n, 0n, 1n))
        .map(([{ hash }, by]) => BigInt.asUintN(64, hash + by)),
      fc.constantFrom(0n, LAST),
    );

    fc.assert(
      fc.property(hashes, (hash) => {
        expect(walk(ring, hash)).toEqual(plainWalk(entries, hash));
      }),
      { numRuns: 500 },
    );
  });

  it("starts anew with every search, however far the one before has gone", () => {
    const ring = new Ring(members(1, 1, 1), { min: 64, max: 64 });
    const whole = walk(ring, 7n);
    ring.seek(0, 7);
    ring.next();

    expect(walk(ring, 7n)).toEqual(whole);
    expect(ring.next()).toBe(-1);
  });

  it.each([
    { weights: [1, 1, 1], counts: [100, 100, 100] },
    { weights: [5, 3, 1, 0.25], counts: [500, 300, 100, 25] },
    { weights: [0.2, 0.3], counts: [20, 30] },
    { weights: [11, 1, 0.001], counts: [1_100, 100, 1] },
    // A unit counts a power of two less, or more, where the mean weight is far from 1.
    { weights: [65_536, 65_536, 32_768], counts: [100, 100, 50] },
    { weights: [0.01, 0.01], counts: [128, 128] },
  ])("gives endpoints of weights $weights $counts entries at 100 for each unit of weight", (row) => {
    const of = members(...row.weights);

    const ring = new Ring(of, { perWeight: 100 });

    expect(ring.size).toBe(row.counts.reduce((a, b) => a + b));
    for (const { hash, owner } of entriesOf(of, row.counts)) expect(walk(ring, hash)[0]).toBe(owner);
  });

  it("gives a million entries at most, and a place to each endpoint, however they weigh", () => {
    const counts = entryCounts(members(1, ...Array.from({ length: 3_000 }, () => 8)), { perWeight: 1_000 });

    expect(counts.reduce((a, b) => a + b)).toBeLessThanOrEqual(1_048_576);
    expect(Math.max(...counts)).toBe(250);
    expect(counts[0]).toBe(31);
  });
});

/** What `Ring` is made of, one set after the other: keys by number, with weights. */
const sets = fc.array(
  fc.array(fc.tuple(fc.nat(12), fc.integer({ min: 1, max: 4 })), { minLength: 1, maxLength: 10 }),
  { minLength: 1, maxLength: 6 },
);
const sizes = fc.constantFrom<RingSize>({ perWeight: 20 }, { min: 64, max: 128 });

describe("a ring that follows another", () => {
  it("is the same as one made anew, whatever came, went, or changed its weight", () => {
    fc.assert(
      fc.property(
        sets,
        sizes,
        fc.array(fc.bigInt({ min: 0n, max: LAST }), { minLength: 20 }),
        (all, size, at) => {
          let ring: Ring | null = null;
          for (const set of all) {
            const of = set.map(([key, weight]) => ({ key: `key-${key}`, weight }));

            ring = new Ring(of, size, ring);

            const anew = new Ring(of, size);
            expect(ring.size).toBe(anew.size);
            for (const hash of at) expect(walk(ring, hash)).toEqual(walk(anew, hash));
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it("hashes nothing for the endpoints that stay", () => {
    const before = new Ring(members(1, 1, 1, 1), { perWeight: 100 });
    const hashing = vi.spyOn(Xxh64.prototype, "update");

    new Ring(members(1, 1, 1, 1, 1).slice(1), { perWeight: 100 }, before);

    expect(hashing).toHaveBeenCalledTimes(100);
    hashing.mockRestore();
  });
});
