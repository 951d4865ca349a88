import { describe, expect, it } from "vitest";
import { fromServiceConfig } from "../../src/config/service-config.js";
import { readyBench } from "../support/channel-bench.js";
import { serverStream, unary } from "../support/test-call.js";

const ONE_SECOND = fromServiceConfig({ methodConfig: [{ name: [{}], timeout: "1s" }] });

/** Time that the attempt of a call is given, in ms. */
async function timeOf(ownMs: number, make: typeof unary): Promise<number> {
  const bench = await readyBench(ONE_SECOND);
  make(bench.channel, { deadline: bench.clock.epoch() + ownMs });
  await bench.settle();
  return bench.network.current.timeoutAt(bench.clock.epoch());
}

describe("the timeout that a service config sets for a method", () => {
  it.each([
    [60_000, 1_000],
    [Number.POSITIVE_INFINITY, 1_000],
    [300, 300],
  ])(
    "shortens the application's deadline of %d ms to %d ms, and never lengthens it (R48)",
    async (own, expected) => {
      expect(await timeOf(own, unary)).toBe(expected);
      expect(await timeOf(own, serverStream)).toBe(expected);
    },
  );
});
