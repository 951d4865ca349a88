import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { status as Status } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { channelOptionsSchema } from "../../src/call/channel-options.js";
import { Standings } from "../../src/call/standings.js";
import { EventHub } from "../../src/core/index.js";
import { ChannelBench } from "../support/channel-bench.js";
import { ManualClock, settle } from "../support/manual-clock.js";
import { SeededRandom } from "../support/seeded-random.js";
import { LanesBench } from "./lanes-bench.js";

const LIVES = 10_000;
/** What may stay of a life: less than the address alone would take. */
const BYTES_PER_LIFE = 60;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

async function heapBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    await settle();
    collect();
  }
  return process.memoryUsage().heapUsed;
}

function address(life: number): string {
  return `10.${(life >> 16) & 255}.${(life >> 8) & 255}.${life & 255}:1`;
}

it("10,000 endpoints that came, were connected and left leave the heap where it was", async () => {
  const bench = await new LanesBench({ breaker: {}, outlierEjection: { failurePercentage: {} } }).awake();
  const live = async (from: number, count: number): Promise<void> => {
    for (let life = from; life < from + count; life++) {
      bench.backend.updateEndpoints([address(life)]);
      await new Promise((resolve) => setImmediate(resolve));
      if (life % 100 === 0) await bench.clock.advance(2_000);
      // What the test's own network and log keep of each.
      bench.network.dials.length = 0;
      bench.dials.length = 0;
      bench.events.length = 0;
    }
    await bench.clock.advance(60_000);
  };
  await live(1, 1_000);
  const before = await heapBytes();

  await live(1_001, LIVES);

  expect(((await heapBytes()) - before) / LIVES).toBeLessThan(BYTES_PER_LIFE);
  expect(bench.backend.endpoints()).toHaveLength(1);
}, 60_000);

it("failures of an endpoint that has left are no longer listed, those of the others are", async () => {
  const bench = await new ChannelBench(
    { retry: false },
    { addresses: ["a:1", "b:1"], lookup: byName },
  ).ready();
  for (let call = 0; call < 2; call++) {
    await bench.unary();
    bench.network.current.fail(Status.UNAVAILABLE);
    await bench.settle();
  }
  expect(
    bench.channel
      .stats()
      .failures.map(({ endpoint }) => endpoint)
      .sort(),
  ).toEqual(["a:1", "b:1"]);

  bench.channel.updateEndpoints(["b:1"]);

  expect(bench.channel.stats().failures.map(({ endpoint }) => endpoint)).toEqual(["b:1"]);
});

it("an endpoint that comes back begins anew: breaker, ejection and load of the one before are not its own", () => {
  const options = channelOptionsSchema.parse({
    insecure: true,
    breaker: { consecutiveFailures: 1 },
    outlierEjection: { failurePercentage: {} },
  });
  const standings = new Standings(options, {
    clock: new ManualClock(),
    random: new SeededRandom(1),
    events: new EventHub(),
    watches: null,
    onChange: () => {},
    total: () => 1,
    countOut: () => 0,
    isReady: () => true,
  });
  const first = standings.of("a:1");
  first.gate.fail(false);
  expect(first.isOut()).toBe(true);

  standings.forget(["a:1"]);
  const second = standings.of("a:1");

  expect(second).not.toBe(first);
  expect(second.isOut()).toBe(false);
});

function byName(host: string): Promise<readonly string[]> {
  return Promise.resolve([host === "a" ? "10.0.0.1" : "10.0.0.2"]);
}
