import fc from "fast-check";
import { expect, it } from "vitest";
import { settings, steps } from "./pool-steps.js";
import { PoolStorm } from "./pool-storm.js";

const STORIES = 230;
const LEAST_STEPS = 10_000;

it("keeps its promises to calls, servers and sockets whatever happens, through more than 10,000 steps (R107, R126, R131)", async () => {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(settings, steps, async (drawn, script) => {
      const storm = new PoolStorm(drawn);
      const { world } = storm;

      await storm.run(script);
      count += script.length;
      if (drawn.seed % 2 === 0) {
        await storm.heal();
        expect(world.calls.filter(({ state }) => state === "waiting" || state === "running")).toEqual([]);
        expect([...world.inFlight.values()].filter((calls) => calls !== 0)).toEqual([]);
      }
      for (const call of world.liveCalls) call.cancel();
      if (drawn.seed % 3 === 0) world.pool.destroy();
      else world.pool.drain(1_000);
      await world.clock.advance(2_000);

      expect(world.truth.channels.filter(({ socket }) => !socket.destroyed)).toEqual([]);
      expect(world.clock.pendingTimers).toBe(0);
      expect(
        [...world.inFlight].map(([standing]) => standing.inFlight).filter((calls) => calls !== 0),
      ).toEqual([]);
    }),
    { numRuns: STORIES, seed: 5 },
  );
  expect(count).toBeGreaterThanOrEqual(LEAST_STEPS);
}, 60_000);
