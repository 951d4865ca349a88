import { expect, it } from "vitest";
import type { LinkResult } from "../../src/raft-peer/unary-link.js";
import { CountingNode, memoryStage, OK, sendMany } from "./memory-calls.js";

/** Of a share, in absolute terms; three standard deviations of 20,000 draws at 10 % are 0.0064. */
const TOLERANCE = 0.0065;

it("loses a tenth of the requests, and a tenth of the replies after the server ran them", async () => {
  const { clock, network } = memoryStage({ reliable: false });
  const node = new CountingNode();
  network.serve("b:1", { kv: node });

  const results = await sendMany(network.link("a:1", "b:1"), clock, { calls: 20_000, timeoutMs: 30 });

  const answered = results.filter(({ ok }) => ok).length;
  expect(results).toHaveLength(20_000);
  expect(share(20_000 - node.keys.length, 20_000)).toBeLessThan(TOLERANCE + 0.1);
  expect(share(20_000 - node.keys.length, 20_000)).toBeGreaterThan(0.1 - TOLERANCE);
  expect(Math.abs(share(node.keys.length - answered, node.keys.length) - 0.1)).toBeLessThan(TOLERANCE);
  expect(results.filter(isMaybe).length).toBe(20_000 - answered);
  expect(network.stats()).toMatchObject({ calls: 20_000, perServer: { "b:1": node.keys.length } });
});

it("delays each request by 0 to 26 ms, every one of them as often", async () => {
  const { clock, network } = memoryStage({ reliable: false }, 2);
  const delays: number[] = [];
  const node = new CountingNode(({ key }) => {
    delays.push(clock.now() - Number(key));
    return OK;
  });
  network.serve("b:1", { kv: node });

  await sendMany(network.link("a:1", "b:1"), clock, { calls: 20_000, timeoutMs: 30 });

  const counts = Array.from({ length: 27 }, (_, ms) => delays.filter((delay) => delay === ms).length);
  expect(counts.reduce((sum, count) => sum + count)).toBe(delays.length);
  for (const count of counts) expect(Math.abs(share(count, delays.length) - 1 / 27)).toBeLessThan(0.006);
});

it("delays two thirds of the replies by 200 to 2,199 ms, short delays more often", async () => {
  const { clock, network } = memoryStage({ longReordering: true }, 3);
  network.serve("b:1", { kv: new CountingNode() });

  const results = await sendMany(network.link("a:1", "b:1"), clock, { calls: 20_000, timeoutMs: 2_200 });

  const delays = results.map(({ ms }) => ms).filter((ms) => ms > 0);
  expect(results.every(({ ok }) => ok)).toBe(true);
  expect(Math.abs(share(delays.length, 20_000) - 2 / 3)).toBeLessThan(0.01);
  expect(Math.min(...delays)).toBe(200);
  expect(Math.max(...delays)).toBeGreaterThan(2_100);
  expect(Math.max(...delays)).toBeLessThan(2_200);
  // labrpc's shape: half of the 1,000 ms that even delays would have on average.
  expect(delays.reduce((sum, ms) => sum + ms, 0) / delays.length).toBeGreaterThan(690);
  expect(delays.reduce((sum, ms) => sum + ms, 0) / delays.length).toBeLessThan(710);
});

it.each([
  ["99", false, 100],
  ["6,999, with long delays,", true, 7_000],
])("fails a call to where there is nobody after 0 to %s ms", async (_, longDelays, limit) => {
  const { clock, network } = memoryStage({ longDelays }, 4);

  const results = await sendMany(network.link("a:1", "b:1"), clock, { calls: 5_000, timeoutMs: limit });

  const delays = results.map(({ ms }) => ms);
  expect(results.every((result) => !result.ok && result.kind === "unreachable")).toBe(true);
  expect(Math.min(...delays)).toBeLessThanOrEqual(limit / 100);
  expect(Math.max(...delays)).toBeGreaterThanOrEqual(limit * 0.99 - 1);
  expect(Math.max(...delays)).toBeLessThan(limit);
  expect(Math.abs(delays.reduce((sum, ms) => sum + ms, 0) / delays.length / limit - 0.5)).toBeLessThan(0.02);
});

it("lets the share of requests arrive a second time that the options say", async () => {
  const { clock, network } = memoryStage({ duplicateRatio: 0.25 }, 5);
  const delays: number[] = [];
  const node = new CountingNode(({ key }) => {
    delays.push(clock.now() - Number(key));
    return OK;
  });
  network.serve("b:1", { kv: node });

  const results = await sendMany(network.link("a:1", "b:1"), clock, { calls: 20_000, timeoutMs: 2_000 });

  expect(results.every(({ ok }) => ok)).toBe(true);
  expect(Math.abs(share(delays.length - 20_000, 20_000) - 0.25)).toBeLessThan(0.01);
  expect(Math.max(...delays)).toBeGreaterThan(1_800);
  expect(Math.max(...delays)).toBeLessThan(2_000);
});

function share(part: number, whole: number): number {
  return part / whole;
}

function isMaybe(result: LinkResult<unknown>): boolean {
  return !result.ok && result.kind === "timeout" && result.processed === "maybe";
}
