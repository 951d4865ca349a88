import { expect, it } from "vitest";
import { withinMs } from "../../src/core/index.js";
import { ManualClock } from "../support/manual-clock.js";

it("work that never settles is given up after its time", async () => {
  const clock = new ManualClock();
  const result = withinMs(clock, 100, "the token server", () => new Promise<never>(() => {}));
  const failure = expect(result).rejects.toThrow("the token server did not answer within 100 ms");

  await clock.advance(100);

  await failure;
});

it("work that settles in time is passed on, and leaves no timer", async () => {
  const clock = new ManualClock();

  expect(await withinMs(clock, 100, "it", () => "done")).toBe("done");
  await expect(withinMs(clock, 100, "it", () => Promise.reject(new Error("no")))).rejects.toThrow("no");

  expect(clock.pendingTimers).toBe(0);
});
