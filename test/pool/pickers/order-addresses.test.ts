import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  interleaveFamilies,
  orderAddresses,
  weightedShuffle,
} from "../../../src/pool/pickers/order-addresses.js";
import { fixedRandom, SeededRandom } from "../../support/seeded-random.js";

const [V4, W4, X4, V6, W6, NAME, UNIX] = [
  "10.0.0.1:1",
  "10.0.0.2:1",
  "10.0.0.3:1",
  "[2001:db8::1]:1",
  "[2001:db8::2]:1",
  "kv.example:1",
  "unix:/run/kv",
] as const;

function endpoints(addresses: readonly string[]) {
  return addresses.map((address) => ({ address }));
}

/** How often each order comes in so many shuffles. */
function orders(weights: readonly number[], rounds: number): Map<string, number> {
  const random = new SeededRandom(3);
  const seen = new Map<string, number>();
  for (let round = 0; round < rounds; round++) {
    const input = weights.map((weight, index) => ({ address: String(index), weight }));
    const order = weightedShuffle(input, random)
      .map(({ address }) => address)
      .join("");
    seen.set(order, (seen.get(order) ?? 0) + 1);
  }
  return seen;
}

describe("the order of pick_first", () => {
  it.each([
    ["IPv6 first where it comes first", [V6, W6, V4, W4], [V6, V4, W6, W4]],
    ["IPv4 first where it comes first", [V4, W4, X4, V6], [V4, V6, W4, X4]],
    ["names and unix sockets in IPv4's place", [NAME, UNIX, V6], [NAME, V6, UNIX]],
    ["one family as it is", [W4, V4, X4], [W4, V4, X4]],
    ["nothing of nothing", [], []],
  ])("takes IPv6 and IPv4 in turn: %s (R113)", (_, given, expected) => {
    expect(interleaveFamilies(endpoints(given)).map(({ address }) => address)).toEqual(expected);
  });

  it("keeps the resolver's order within a family, and loses nobody (R113)", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(60)), (numbers) => {
        const given = endpoints(numbers.map((n) => (n % 2 === 0 ? `10.0.0.${n}:1` : `[2001:db8::${n}]:1`)));
        const isV6 = ({ address }: { address: string }) => address.startsWith("[");

        const ordered = interleaveFamilies(given);

        expect(ordered.filter(isV6)).toEqual(given.filter(isV6));
        expect(ordered.filter((one) => !isV6(one))).toEqual(given.filter((one) => !isV6(one)));
        expect(ordered[0]).toBe(given[0]);
      }),
    );
  });

  it("is shuffled when asked for, before the families take turns (R113)", () => {
    const given = endpoints([V4, W4, V6, W6]);
    const run = (isShuffled: boolean, seed: number) =>
      orderAddresses(given, { isShuffled, random: new SeededRandom(seed) }).map(({ address }) => address);

    expect(run(false, 1)).toEqual([V4, V6, W4, W6]);
    const firsts = new Set(Array.from({ length: 40 }, (_, seed) => run(true, seed)[0]));
    expect(firsts).toEqual(new Set([V4, W4, V6, W6]));
    for (let seed = 0; seed < 40; seed++)
      expect(run(true, seed).map((address) => address.startsWith("["))).toSatisfy(
        ([a, b, c, d]: boolean[]) => a === c && b === d && a !== b,
      );
  });

  it("does not change the resolver's own list", () => {
    const given = Object.freeze(endpoints([V4, W4, V6]));

    orderAddresses(given, { isShuffled: true, random: new SeededRandom(1) });

    expect(given.map(({ address }) => address)).toEqual([V4, W4, V6]);
  });
});

describe("the weighted shuffle", () => {
  it.each([
    [2, 2],
    [3, 6],
  ])("gives every order of %d equal endpoints the same chance (R117)", (size, permutations) => {
    const rounds = 30_000;

    const seen = orders(new Array(size).fill(7), rounds);

    expect(seen.size).toBe(permutations);
    for (const count of seen.values()) expect(Math.abs(count / rounds - 1 / permutations)).toBeLessThan(0.01);
  });

  it("puts an endpoint first as often as its share of the weights (R117)", () => {
    const rounds = 30_000;

    const seen = [...orders([5, 3, 1], rounds)];

    for (const [index, weight] of [5, 3, 1].entries()) {
      const first = seen.filter(([order]) => order.startsWith(String(index)));
      const share = first.reduce((sum, [, count]) => sum + count, 0) / rounds;
      expect(Math.abs(share - weight / 9)).toBeLessThan(0.01);
    }
  });

  it("tells weights apart however large they are (R117)", () => {
    const seen = orders([3e12, 1e12], 20_000);

    expect(Math.abs(seen.get("01")! / 20_000 - 0.75)).toBeLessThan(0.015);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("takes a weight of %d for 1", (weight) => {
    expect(Math.abs(orders([weight, 1], 10_000).get("01")! / 10_000 - 0.5)).toBeLessThan(0.02);
  });

  it("bears chance at its extremes", () => {
    for (const roll of [0, 1 - 2 ** -53])
      expect(weightedShuffle(endpoints([V4, W4]), fixedRandom(roll))).toHaveLength(2);
  });
});
