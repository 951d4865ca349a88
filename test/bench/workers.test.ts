import { expect, it } from "vitest";
import { Workers } from "../../bench/clerk/workers.js";

it("tells each worker's first acknowledgement from an instant on, and which workers have none yet", async () => {
  const held: (() => void)[] = [];
  const workers = new Workers(
    2,
    (worker) => (worker === 0 ? Promise.resolve() : new Promise<void>((resolve) => held.push(resolve))),
    1,
  );
  await expect.poll(() => workers.acks.length).toBeGreaterThan(2);
  const second = workers.acks[1]!.atMs;

  expect(workers.firstAcksFrom(second)).toEqual([second, undefined]);
  const finished = workers.finish();
  for (const release of held) release();
  await finished;
  expect(workers.firstAcksFrom(second)[1]).toBeGreaterThanOrEqual(second);
});

it("counts operations that fail, and goes on", async () => {
  const workers = new Workers(
    1,
    async (_worker, turn) => (turn === 0 ? Promise.reject(new Error("no")) : turn),
    1,
  );
  await expect.poll(() => workers.acks.length).toBeGreaterThan(0);
  await workers.finish();

  expect(workers.failures).toBe(1);
});
