import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Xxh64 } from "../../../src/pool/pickers/hash.js";
import { Ring, type RingMember } from "../../../src/pool/pickers/ring.js";

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
      const ring = new Ring(of, min, max);

      expect(ring.size).toBe(entries.length);
      for (const { hash, owner } of entries) expect(walk(ring, hash)[0]).toBe(owner);
    },
  );

  it("finds the first entry that is not before the key, around the end, and then each endpoint once (R130)", () => {
    const of = members(1, 2, 1, 1, 3);
    const entries = entriesOf(of, [13, 26, 13, 13, 39]);
    const ring = new Ring(of, 100, 200);
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
    const ring = new Ring(members(1, 1, 1), 64, 64);
    const whole = walk(ring, 7n);
    ring.seek(0, 7);
    ring.next();

    expect(walk(ring, 7n)).toEqual(whole);
    expect(ring.next()).toBe(-1);
  });
});
