import { type ChannelOptions, createChannel } from "../../src/call/index.js";
import type { Endpoint } from "../../src/core/index.js";
import { FakeNetwork } from "../../test/support/fake-network.js";
import { ManualClock, settle } from "../../test/support/manual-clock.js";
import { SeededRandom } from "../../test/support/seeded-random.js";
import { heapInUse } from "../measure/heap.js";
import { median } from "../measure/statistics.js";
import { endpointsOf, POLICIES } from "./policies.js";
import { type PoolUnderTest, readyPool } from "./ready-pool.js";

export const UPDATED_POLICIES = ["round_robin", "weighted_round_robin", "ring_hash"] as const;

/** What updates that each change one endpoint did; counts are the most of any of them. */
export interface UpdateCost {
  readonly policy: string;
  readonly endpoints: number;
  readonly created: number;
  readonly removed: number;
  /** Dials begun: the new endpoint's own. */
  readonly dials: number;
  /** Endpoints that are not new, and whose connection is. */
  readonly reconnected: number;
  /** Endpoints that are not new, and of which something else is known than before: breaker, latency, load. */
  readonly forgotten: number;
  /** Of the update itself, median. */
  readonly ms: number;
  /** Of the first pick after it, which makes the picker anew; median. */
  readonly firstPickMs: number;
}

/** What an endpoint costs that no call has ever gone to. */
export interface IdleCost {
  readonly endpoints: number;
  readonly bytesPerEndpoint: number;
  readonly innerChannels: number;
  readonly timers: number;
}

const CALL = { path: "/holdfast.bench.Echo/Unary", hashKey: "user-1", now: 1_000, header: () => null };
const WARM_UP = 5;
const SEED = 1;

/** Updates of a pool whose endpoints are all READY; each replaces one of them by another one. */
export async function measureUpdates(name: string, endpoints: number, updates: number): Promise<UpdateCost> {
  const measured = POLICIES[name];
  if (measured === undefined) throw new Error(`no policy is called ${JSON.stringify(name)}`);
  const made = await readyPool(measured.policy, endpoints);
  const random = new SeededRandom(SEED);
  const set = endpointsOf(endpoints);
  const counted: Counted[] = [];
  for (let update = 0; update < WARM_UP + updates; update++) {
    set[Math.floor(random.next() * endpoints)] = endpointsOf(1, endpoints + update)[0] as Endpoint;
    const count = countUpdate(made, [...set]);
    if (update >= WARM_UP) counted.push(count);
    await settle();
  }
  const most = (key: keyof Counted) => Math.max(...counted.map((count) => count[key]));
  return {
    policy: name,
    endpoints,
    created: most("created"),
    removed: most("removed"),
    dials: most("dials"),
    reconnected: most("reconnected"),
    forgotten: most("forgotten"),
    ms: median(counted.map(({ ms }) => ms)),
    firstPickMs: median(counted.map(({ firstPickMs }) => firstPickMs)),
  };
}

type Counted = Omit<UpdateCost, "policy" | "endpoints">;

function countUpdate({ pool, network }: PoolUnderTest, next: readonly Endpoint[]): Counted {
  const before = new Map(
    pool.subchannels.map((each) => [each, { connection: each.connections[0], standing: each.standing }]),
  );
  const dials = network.dials.length;
  const startedAt = performance.now();
  pool.update(next);
  const updatedAt = performance.now();
  pool.pick(CALL, null, false);
  const pickedAt = performance.now();
  const kept = pool.subchannels.filter((each) => before.has(each));
  return {
    created: pool.subchannels.length - kept.length,
    removed: before.size - kept.length,
    dials: network.dials.length - dials,
    reconnected: kept.filter((each) => before.get(each)?.connection !== each.connections[0]).length,
    forgotten: kept.filter((each) => before.get(each)?.standing !== each.standing).length,
    ms: updatedAt - startedAt,
    firstPickMs: pickedAt - updatedAt,
  };
}

/** A connected channel gets so many endpoints more, beyond those it connects. @throws Error without --expose-gc */
export async function measureIdle(endpoints: number): Promise<IdleCost> {
  const clock = new ManualClock();
  const network = new FakeNetwork(clock);
  const used = endpointsOf(3);
  const options: ChannelOptions = { insecure: true, maxConnectedEndpoints: used.length };
  const target = `static:///${used.map(({ address }) => address).join(",")}`;
  const channel = createChannel(target, options, {
    clock,
    random: new SeededRandom(SEED),
    lookup: network.lookup,
    makeChannel: network.makeChannel,
    env: {},
  });
  try {
    // What the resolver hands over is the caller's own memory, so it is there before.
    const all = [...used, ...endpointsOf(endpoints, used.length)];
    channel.getConnectivityState(true);
    channel.updateEndpoints(used);
    const before = { bytes: await heapInUse(), timers: clock.pendingTimers, dials: network.dials.length };
    channel.updateEndpoints(all);
    const bytes = await heapInUse();
    if (all.length !== channel.endpoints().length) throw new Error("the update did not reach the pool");
    return {
      endpoints,
      bytesPerEndpoint: (bytes - before.bytes) / endpoints,
      innerChannels: network.dials.length - before.dials,
      timers: clock.pendingTimers - before.timers,
    };
  } finally {
    channel.destroy(new Error("the measurement is over"));
  }
}
