import type { Client, Place, Stack } from "../stacks/index.js";
import { drive, type Load } from "./drive.js";
import { measureCost, measureHeapBytes } from "./meters.js";
import { type Samples, type StackResult, summarise } from "./summarise.js";

/** What to measure where. */
export interface Comparison {
  readonly title: string;
  readonly place: Place;
  readonly load: Load;
  readonly rounds: number;
  /** No further round begins after this long, once there are a few. */
  readonly limitMs: number;
}

export interface ComparisonResult {
  readonly title: string;
  readonly place: Place["kind"];
  readonly inFlight: number;
  /** Rounds made. */
  readonly rounds: number;
  readonly callsPerSlice: number;
  readonly stacks: readonly StackResult[];
}

/** A stack with two clients of its own. */
export interface Contestant {
  readonly stack: Stack;
  readonly clients: readonly [Client, Client];
}

/** Compilation takes seconds to settle: over 10,000 calls of each stack before anything counts. */
const WARM_UP_CALLS = 12_000;
const WARM_UP_IN_FLIGHT = 64;
const MIN_ROUNDS = 3;
/** Bytes hardly differ from round to round. */
const HEAP_ROUNDS = 5;

export function enter(stacks: readonly Stack[], place: Place): Contestant[] {
  return stacks
    .filter(({ places }) => places.includes(place.kind))
    .map((stack) => ({ stack, clients: [stack.open(place), stack.open(place)] }));
}

export function leave(contestants: readonly Contestant[]): void {
  for (const { clients } of contestants) for (const client of clients) client.close();
}

/** Twice half of it each, and interleaved, so that shared code sees all stacks before it is compiled for good. */
export async function warmUp(contestants: readonly Contestant[], defer: Load["defer"]): Promise<void> {
  const load = { calls: WARM_UP_CALLS / 2, inFlight: WARM_UP_IN_FLIGHT, defer };
  for (let pass = 0; pass < 2; pass++) {
    for (const { clients } of contestants) for (const { call } of clients) await drive(call, load);
  }
}

/** Slices of all clients in turn, round after round: a slow second of the machine hits all of them alike. */
export async function compare(
  contestants: readonly Contestant[],
  { title, place, load, rounds, limitMs }: Comparison,
): Promise<ComparisonResult> {
  const lanes = lanesOf(contestants);
  for (const { client } of lanes) await drive(client.call, shortened(load));
  const startedAt = performance.now();
  let made = 0;
  while (made < rounds && (made < MIN_ROUNDS || performance.now() - startedAt < limitMs)) {
    const inOrder = inOrderOf(lanes, made);
    for (const lane of inOrder) await sampleCost(lane, load);
    if (made < HEAP_ROUNDS) for (const lane of inOrder) await sampleHeap(lane, shortened(load));
    made++;
  }
  const twins = contestants.map(({ stack }, at) => ({
    name: stack.name,
    samples: [lanes[at], lanes[at + contestants.length]].map((lane) => (lane as Lane).samples),
  }));
  return {
    title,
    place: place.kind,
    inFlight: load.inFlight,
    rounds: made,
    callsPerSlice: load.calls,
    stacks: summarise(twins),
  };
}

async function sampleCost({ client, samples }: Lane, load: Load): Promise<void> {
  const { cpuMicros, wallMicros } = await measureCost(load.calls, () => drive(client.call, load));
  samples.cpuMicros.push(cpuMicros);
  samples.wallMicros.push(wallMicros);
}

async function sampleHeap({ client, samples }: Lane, load: Load): Promise<void> {
  samples.heapBytes.push(await measureHeapBytes(load.calls, () => drive(client.call, load)));
}

/** What an allocation meter needs is far less than what a clock needs, but never less than a full load in flight. */
function shortened(load: Load): Load {
  return { ...load, calls: Math.max(Math.ceil(load.calls / 4), 2 * load.inFlight) };
}

interface Lane {
  readonly client: Client;
  readonly samples: Samples;
}

/** First one client of every stack, then their twins: a stack is never its own neighbour. */
function lanesOf(contestants: readonly Contestant[]): Lane[] {
  return [0, 1].flatMap((twin) =>
    contestants.map(({ clients }) => ({
      client: clients[twin] as Client,
      samples: { cpuMicros: [], wallMicros: [], heapBytes: [] },
    })),
  );
}

/** Another lane begins each round, and every second round runs backwards, so that no lane always follows the same. */
function inOrderOf(lanes: readonly Lane[], round: number): Lane[] {
  const first = round % lanes.length;
  const rotated = [...lanes.slice(first), ...lanes.slice(0, first)];
  return round % 2 === 0 ? rotated : rotated.reverse();
}
