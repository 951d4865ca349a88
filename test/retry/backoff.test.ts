import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Backoff } from "../../src/retry/backoff.js";
import { type BackoffOptions, backoffOptionsSchema } from "../../src/retry/retry-options.js";
import { fixedRandom, SeededRandom } from "../support/seeded-random.js";

/** The highest roll there is. */
const ALMOST_ONE = 1 - 2 ** -53;

function backoff(options: BackoffOptions, roll = 0.5): Backoff {
  return new Backoff(backoffOptionsSchema.parse(options), fixedRandom(roll));
}

function series(options: BackoffOptions, retries: number, roll = 0.5): number[] {
  const delays = backoff(options, roll);
  return Array.from({ length: retries }, (_, index) => delays.delayMs(index + 1));
}

describe("how the wait grows", () => {
  it.each([
    ["exponential", [10, 30, 90, 200, 200]],
    ["linear", [10, 20, 30, 40, 50]],
    ["fixed", [10, 10, 10, 10, 10]],
    ["immediate", [0, 0, 0, 0, 0]],
  ] as const)("E05: waits by the %s formula", (kind, expected) => {
    const delays = series({ kind, initialMs: 10, multiplier: 3, maxMs: 200, jitter: "none" }, 5);

    expect(delays).toEqual(expected);
  });

  it("E16: doubles from 100 ms up to a cap of 30,000 ms", () => {
    const delays = series({ maxMs: 30_000, jitter: "none" }, 10);

    expect(delays).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000]);
  });

  it("R4: shrinks with a multiplier below 1", () => {
    const delays = series({ multiplier: 0.5, jitter: "none" }, 3);

    expect(delays).toEqual([100, 50, 25]);
  });

  it("R9: waits initialMs before the first retry even above maxMs, and maxMs after that", () => {
    const delays = series({ initialMs: 500, maxMs: 200, jitter: "none" }, 3);

    expect(delays).toEqual([500, 200, 200]);
  });

  it.each(["linear", "fixed"] as const)("caps the %s kind from the first retry on", (kind) => {
    const delays = series({ kind, initialMs: 500, maxMs: 200, jitter: "none" }, 2);

    expect(delays).toEqual([200, 200]);
  });
});

describe("what chance does to the wait", () => {
  it("R10, R11: spreads the waits by 20 % around 100, 200, 400, 800 and 1,000 ms", () => {
    const shortest = series({}, 6, 0);
    const longest = series({}, 6, ALMOST_ONE);

    expect(shortest).toEqual([80, 160, 320, 640, 800, 800]);
    for (const [index, most] of [120, 240, 480, 960, 1_200, 1_200].entries()) {
      expect(longest[index]).toBeCloseTo(most, 9);
    }
  });

  it("R9: applies jitter after the cap, so a capped wait still varies", () => {
    const random = new SeededRandom(1);
    const delays = new Backoff(backoffOptionsSchema.parse({}), random);

    const capped = Array.from({ length: 200 }, () => delays.delayMs(9));

    expect(Math.min(...capped)).toBeLessThan(850);
    expect(Math.max(...capped)).toBeGreaterThan(1_150);
  });

  it("takes anything from nothing to the cap with full jitter", () => {
    expect(series({ jitter: "full" }, 2, 0)).toEqual([0, 0]);
    expect(series({ jitter: "full" }, 5, 0.25)).toEqual([25, 50, 100, 200, 250]);
  });

  it("E45: keeps full jitter and additive10 within maxMs even for a first retry above it", () => {
    const above = { initialMs: 500, maxMs: 200 };

    expect(backoff({ ...above, jitter: "full" }, ALMOST_ONE).delayMs(1)).toBeLessThanOrEqual(200);
    expect(backoff({ ...above, jitter: "additive10" }, ALMOST_ONE).delayMs(1)).toBe(200);
  });

  it("E45: adds up to 10 % with additive10, but never passes maxMs", () => {
    expect(series({ jitter: "additive10" }, 2, 0)).toEqual([100, 200]);
    expect(backoff({ jitter: "additive10" }, 0.5).delayMs(1)).toBeCloseTo(105, 9);
    expect(series({ jitter: "additive10" }, 6, ALMOST_ONE).slice(4)).toEqual([1_000, 1_000]);
  });
});

const options = fc.record({
  kind: fc.constantFrom("exponential", "linear", "fixed", "immediate"),
  initialMs: fc.double({ min: 1, max: 1e6, noNaN: true }),
  multiplier: fc.double({ min: 0.01, max: 1e6, noNaN: true }),
  maxMs: fc.double({ min: 1, max: 1e6, noNaN: true }),
  jitter: fc.constantFrom("spread20", "full", "additive10", "none"),
} as const);
const rolls = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const retries = fc.oneof(
  fc.integer({ min: 1, max: 40 }),
  fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
);

describe("bounds of the wait", () => {
  it("stays finite and within its cap and jitter for any options, retry and roll", () => {
    fc.assert(
      fc.property(options, retries, rolls, (input, retry, roll) => {
        const delay = backoff(input, roll).delayMs(retry);

        const isUncapped = input.kind === "exponential" && retry === 1;
        const cap = isUncapped ? Math.max(input.initialMs, input.maxMs) : input.maxMs;
        const ceiling = {
          spread20: cap * 1.200_000_1,
          none: cap,
          full: input.maxMs,
          additive10: input.maxMs,
        };
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(ceiling[input.jitter]);
      }),
    );
  });

  it("never waits less for a later retry when nothing is left to chance", () => {
    fc.assert(
      fc.property(options, fc.integer({ min: 2, max: 2_000 }), (input, retry) => {
        fc.pre(input.multiplier >= 1 && input.initialMs <= input.maxMs);

        const delays = backoff({ ...input, jitter: "none" });

        expect(delays.delayMs(retry + 1)).toBeGreaterThanOrEqual(delays.delayMs(retry));
      }),
    );
  });
});
