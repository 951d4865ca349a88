import { systemClock } from "../../src/core/index.js";
import type { PickCall, Picker, PickFilter } from "../../src/pool/pickers/picker.js";
import { SeededRandom } from "../../test/support/seeded-random.js";
import { measureHeapBytes } from "../measure/meters.js";
import { median } from "../measure/statistics.js";
import type { MeasuredPolicy } from "./policies.js";
import { type PoolUnderTest, readyPool, shuffle } from "./ready-pool.js";

/** Endpoints, from the smallest set that ratios refer to, to the largest. */
export const PICK_SIZES = [3, 100, 10_000] as const;

/** Through the pool, with everything it asks of an endpoint; or the policy's picker by itself. */
export const PICK_PATHS = ["pool", "picker"] as const;
export type PickPath = (typeof PICK_PATHS)[number];

/** What a pick costs with so many endpoints. */
export interface PickCost {
  readonly path: PickPath;
  readonly endpoints: number;
  /** Median over the rounds. */
  readonly nanos: number;
  /** To the smallest set, round by round: the median. */
  readonly ratio: number;
  readonly bytes: number;
}

export type ClockCost = Pick<PickCost, "nanos" | "bytes">;

/** How long to measure. */
export interface PickEffort {
  readonly rounds: number;
  readonly picksPerSlice: number;
  readonly heapPicks: number;
}

export const PICK_EFFORT: PickEffort = { rounds: 21, picksPerSlice: 20_000, heapPicks: 400_000 };

const WARM_UP_SLICES = 8;
const KEYS = 1_024;
const SEED = 1;
const ANY: PickFilter = { accepts: () => true };

/** A call with a key, another one each time. The clock has a row of its own: here its instant is given. */
class KeyedCall implements PickCall {
  readonly path = "/holdfast.bench.Echo/Unary";
  readonly now = 1_000.25;
  hashKey = "";
  #turn = 0;
  readonly #keys = Array.from({ length: KEYS }, (_, at) => `user-${at}-${at * 7919}`);

  header(): null {
    return null;
  }

  next(): this {
    this.#turn = (this.#turn + 1) % KEYS;
    this.hashKey = this.#keys[this.#turn] as string;
    return this;
  }
}

interface Lane {
  readonly path: PickPath;
  readonly endpoints: number;
  readonly pick: (times: number) => void;
  readonly nanos: number[];
}

/** Where picks go: what nobody can see would not be made at all. */
const sink: { last: unknown } = { last: null };

/** Slices of all sizes and paths in turn; to be run in a process that measures no other policy. */
export async function measurePicks(
  measured: MeasuredPolicy,
  effort = PICK_EFFORT,
  sizes: readonly number[] = PICK_SIZES,
): Promise<PickCost[]> {
  const lanes: Lane[] = [];
  for (const endpoints of sizes) lanes.push(...(await lanesOf(measured, endpoints)));
  for (let slice = 0; slice < WARM_UP_SLICES; slice++) {
    for (const lane of lanes) lane.pick(effort.picksPerSlice);
  }
  for (let round = 0; round < effort.rounds; round++) {
    for (const lane of round % 2 === 0 ? lanes : lanes.toReversed()) {
      lane.nanos.push(nanosOf(effort.picksPerSlice, lane.pick));
    }
  }
  const costs: PickCost[] = [];
  for (const lane of lanes) costs.push(await costOf(lane, lanes, effort));
  return costs;
}

/** What one look at the machine's own clock costs, which a call makes at its beginning. */
export async function measureClock(effort = PICK_EFFORT): Promise<ClockCost> {
  const clock = systemClock;
  let late = 0;
  const look = (times: number): void => {
    for (let made = 0; made < times; made++) if (clock.now() < 0) late++;
    sink.last = late;
  };
  for (let slice = 0; slice < WARM_UP_SLICES; slice++) look(effort.picksPerSlice);
  const nanos = Array.from({ length: effort.rounds }, () => nanosOf(effort.picksPerSlice, look));
  return { nanos: median(nanos), bytes: await bytesOf(effort.heapPicks, look) };
}

async function lanesOf({ policy, isShuffled }: MeasuredPolicy, endpoints: number): Promise<Lane[]> {
  const { pool, clock } = await readyPool(policy, endpoints);
  if (isShuffled === true) shuffle(pool);
  const call = new KeyedCall();
  const random = new SeededRandom(SEED);
  const picker = policy.create({ candidates: pool.subchannels, previous: null, clock, random });
  if (pool.pick(call.next(), null, false) === "queue") throw new Error("the pool has nothing to pick from");
  return [
    { path: "pool", endpoints, nanos: [], pick: (times) => pickThrough(pool, call, times) },
    { path: "picker", endpoints, nanos: [], pick: (times) => pickFrom(picker, call, times) },
  ];
}

function pickThrough(pool: PoolUnderTest["pool"], call: KeyedCall, times: number): void {
  for (let made = 0; made < times; made++) sink.last = pool.pick(call.next(), null, false);
}

function pickFrom(picker: Picker, call: KeyedCall, times: number): void {
  for (let made = 0; made < times; made++) sink.last = picker.pick(ANY, call.next());
}

async function costOf(lane: Lane, all: readonly Lane[], effort: PickEffort): Promise<PickCost> {
  const { path, endpoints, nanos, pick } = lane;
  const first = all.find((other) => other.path === path) as Lane;
  const ratios = nanos.map((value, round) => value / (first.nanos[round] as number));
  const bytes = await bytesOf(effort.heapPicks, pick);
  return { path, endpoints, nanos: median(nanos), ratio: median(ratios), bytes };
}

/** The least of three: what compiling allocates is no pick's. */
async function bytesOf(times: number, act: (times: number) => void): Promise<number> {
  const tries: number[] = [];
  for (let made = 0; made < 3; made++) tries.push(await measureHeapBytes(times, async () => act(times)));
  return Math.max(0, Math.min(...tries));
}

function nanosOf(times: number, act: (times: number) => void): number {
  const before = process.hrtime.bigint();
  act(times);
  return Number(process.hrtime.bigint() - before) / times;
}
