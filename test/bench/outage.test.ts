import { describe, expect, it } from "vitest";
import { type OutageSetup, simulateOutage } from "../../bench/outage/simulate.js";

const SETUP: OutageSetup = {
  clients: 100,
  callsPerClient: 50,
  callEveryMs: 100,
  servers: 3,
  seed: 1,
  options: {},
};

/** All calls of a client at once is the worst case: no failure has taken a token when the first retries are planned. */
describe.each([100, 0])("in a total outage (A31), with a call per client every %i ms", (callEveryMs) => {
  it("adds at most a fifth to the load of failing servers, because of the throttle", async () => {
    const { calls, load } = await simulateOutage({ ...SETUP, callEveryMs });

    expect(calls).toBe(5_000);
    expect(load).toBeGreaterThan(1);
    expect(load).toBeLessThanOrEqual(1.2);
  });

  it("triples the load where the user has switched the throttle off, and no more", async () => {
    const options = { retry: { throttle: false as const } };

    const { load } = await simulateOutage({ ...SETUP, callEveryMs, options });

    expect(load).toBe(3);
  });
});

it("sends each call once where retries are off", async () => {
  expect((await simulateOutage({ ...SETUP, options: { retry: false } })).load).toBe(1);
});

it("gives the same numbers for the same seed, and others for another", async () => {
  const small = { ...SETUP, clients: 10 };

  const [first, again, other] = [
    await simulateOutage(small),
    await simulateOutage(small),
    await simulateOutage({ ...small, seed: 2 }),
  ];

  expect(again).toEqual(first);
  expect(other.peakPer100Ms).not.toBe(first.peakPer100Ms);
});
