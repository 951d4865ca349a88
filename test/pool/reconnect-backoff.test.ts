import { describe, expect, it } from "vitest";
import { reconnectBackoffSchema } from "../../src/pool/pool-options.js";
import { ReconnectBackoff } from "../../src/pool/reconnect-backoff.js";
import { fixedRandom, SeededRandom } from "../support/seeded-random.js";

const GRPC = { maxMs: 120_000 };
const ALMOST_ONE = 1 - 2 ** -53;

function backoff(options: object = {}, roll = 0.5): ReconnectBackoff {
  return new ReconnectBackoff(reconnectBackoffSchema.parse(options), fixedRandom(roll));
}

/** The waits after so many failed dials, each begun at 0. */
function series(subject: ReconnectBackoff, length: number): number[] {
  return Array.from({ length }, () => Math.round(subject.afterFailure(0)));
}

const UNJITTERED = [
  1_000, 1_600, 2_560, 4_096, 6_554, 10_486, 16_777, 26_844, 42_950, 68_719, 109_951, 120_000,
];

describe("the wait between dials", () => {
  it("R57: grows by 1.6 from one second to two minutes with gRPC's own cap", () => {
    expect(series(backoff(GRPC), 13)).toEqual([...UNJITTERED, 120_000]);
  });

  it("stops growing at five seconds by default, so that a returning server is found soon", () => {
    expect(series(backoff(), 7)).toEqual([1_000, 1_600, 2_560, 4_096, 5_000, 5_000, 5_000]);
  });

  it.each([
    [0, 0.8],
    [ALMOST_ONE, 1.2],
  ])("R57: is spread by 20 %% after the cap (roll %d)", (roll, factor) => {
    expect(series(backoff(GRPC, roll), 12)).toEqual(
      UNJITTERED.map((_, index) => {
        const base = Math.min(1_000 * 1.6 ** index, 120_000);
        return Math.round(base * factor);
      }),
    );
  });

  it("R61: differs between clients that start together", () => {
    const options = reconnectBackoffSchema.parse({});
    const waits = [1, 2, 3, 4].map((seed) =>
      new ReconnectBackoff(options, new SeededRandom(seed)).afterFailure(0),
    );

    expect(new Set(waits).size).toBe(4);
  });

  it("is exact when jitter is off", () => {
    expect(series(backoff({ jitterRatio: 0 }, 0), 3)).toEqual([1_000, 1_600, 2_560]);
  });

  it("R58: counts from the start of the dial, so a slow failure adds no wait of its own", () => {
    const subject = backoff();

    expect(subject.afterFailure(50_000)).toBe(51_000);
    expect(subject.afterFailure(70_000)).toBe(71_600);
  });

  it("R60: starts anew after a reset", () => {
    const subject = backoff();
    series(subject, 5);

    subject.reset();

    expect(series(subject, 2)).toEqual([1_000, 1_600]);
  });

  it("stays finite after thousands of failures", () => {
    expect(series(backoff(), 5_000).at(-1)).toBe(5_000);
  });
});

describe("after a loss", () => {
  it("a connection that has lived is dialled again at once", () => {
    const now = 100_000;

    expect(backoff().afterLoss(40_000)).toBeLessThanOrEqual(now);
  });

  it("a connection that lived for moments waits out the first delay, and that counts as no failure", () => {
    const subject = backoff();

    expect(subject.afterLoss(40_000)).toBe(41_000);
    expect(subject.afterLoss(40_000)).toBe(41_000);
    expect(subject.afterFailure(0)).toBe(1_000);
  });
});
