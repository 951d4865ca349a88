import type { Call, CallKind, Client, Place, Stack } from "../stacks/index.js";
import { drive, type Load } from "./drive.js";
import { measureCost, measureHeapBytes } from "./meters.js";
import { type Samples, type StackResult, summarise } from "./summarise.js";

/** What to measure where. */
export interface Comparison {
  readonly title: string;
  readonly place: Place;
  readonly kind: CallKind;
  readonly load: Load;
  /** Costs are divided by it too: 1 tells what a call costs. */
  readonly messagesPerCall: number;
  readonly rounds: number;
  /** No further round begins after this long, once there are a few. */
  readonly limitMs: number;
}

export interface ComparisonResult {
  readonly title: string;
  readonly place: Place["kind"];
  readonly kind: CallKind;
  readonly inFlight: number;
  /** Rounds made. */
  readonly rounds: number;
  readonly callsPerSlice: number;
  readonly messagesPerCall: number;
  readonly stacks: readonly StackResult[];
}

/** A stack with two clients of its own. */
export interface Contestant {
  readonly stack: Stack;
  readonly clients: readonly [Client, Client];
}

const MIN_ROUNDS = 3;
/** Bytes hardly differ from round to round. */
const HEAP_ROUNDS = 5;

export function enter(stacks: readonly Stack[], place: Place): Contestant[] {
  return stacks
    .filter(({ places }) => places.includes(place.kind))
    .map((stack) => ({ stack, clients: [stack.open(place), stack.open(place)] }));
}

export async function leave(contestants: readonly Contestant[]): Promise<void> {
  await Promise.all(contestants.flatMap(({ clients }) => clients.map((client) => client.close())));
}

/** Twice half of it each, and interleaved, so that shared code sees all stacks before it is compiled for good. */
export async function warmUp(contestants: readonly Contestant[], kind: CallKind, load: Load): Promise<void> {
  const half = { ...load, calls: Math.ceil(load.calls / 2) };
  for (let pass = 0; pass < 2; pass++) {
    for (const { clients } of contestants) {
      for (const client of clients) await drive(callOf(client, kind), half);
    }
  }
}

/** Slices of all clients in turn, round after round: a slow second of the machine hits all of them alike. */
export async function compare(
  contestants: readonly Contestant[],
  comparison: Comparison,
): Promise<ComparisonResult> {
  const { title, place, kind, load, messagesPerCall, rounds, limitMs } = comparison;
  const lanes = lanesOf(contestants, kind);
  for (const { call } of lanes) await drive(call, shortened(load));
  const startedAt = performance.now();
  let made = 0;
  while (made < rounds && (made < MIN_ROUNDS || performance.now() - startedAt < limitMs)) {
    const inOrder = inOrderOf(lanes, made);
    for (const lane of inOrder) await sampleCost(lane, load, messagesPerCall);
    if (made < HEAP_ROUNDS)
      for (const lane of inOrder) await sampleHeap(lane, shortened(load), messagesPerCall);
    made++;
  }
  const twins = contestants.map(({ stack }, at) => ({
    name: stack.name,
    samples: [lanes[at], lanes[at + contestants.length]].map((lane) => (lane as Lane).samples),
  }));
  return {
    title,
    place: place.kind,
    kind,
    inFlight: load.inFlight,
    rounds: made,
    callsPerSlice: load.calls,
    messagesPerCall,
    stacks: summarise(twins),
  };
}

async function sampleCost({ call, samples }: Lane, load: Load, messagesPerCall: number): Promise<void> {
  const units = load.calls * messagesPerCall;
  const { cpuMicros, wallMicros } = await measureCost(units, () => drive(call, load));
  samples.cpuMicros.push(cpuMicros);
  samples.wallMicros.push(wallMicros);
}

async function sampleHeap({ call, samples }: Lane, load: Load, messagesPerCall: number): Promise<void> {
  samples.heapBytes.push(await measureHeapBytes(load.calls * messagesPerCall, () => drive(call, load)));
}

/** What an allocation meter needs is far less than what a clock needs, but never less than a full load in flight. */
function shortened(load: Load): Load {
  return { ...load, calls: Math.max(Math.ceil(load.calls / 4), 2 * load.inFlight) };
}

interface Lane {
  readonly call: Call;
  readonly samples: Samples;
}

/** First one client of every stack, then their twins: a stack is never its own neighbour. */
function lanesOf(contestants: readonly Contestant[], kind: CallKind): Lane[] {
  return [0, 1].flatMap((twin) =>
    contestants.map(({ clients }) => ({
      call: callOf(clients[twin] as Client, kind),
      samples: { cpuMicros: [], wallMicros: [], heapBytes: [] },
    })),
  );
}

/** @throws Error for a client without streams, which nobody should have entered. */
function callOf(client: Client, kind: CallKind): Call {
  const call = kind === "unary" ? client.unary : client.streams?.[kind];
  if (call === undefined) throw new Error(`a client without ${kind} calls was entered for them`);
  return call;
}

/** Another lane begins each round, and every second round runs backwards, so that no lane always follows the same. */
function inOrderOf(lanes: readonly Lane[], round: number): Lane[] {
  const first = round % lanes.length;
  const rotated = [...lanes.slice(first), ...lanes.slice(0, first)];
  return round % 2 === 0 ? rotated : rotated.reverse();
}
