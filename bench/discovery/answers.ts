import { alignColumns } from "../../examples/shared/align-columns.js";
import { heapInUse } from "../measure/heap.js";
import { measureHeapBytes } from "../measure/meters.js";
import { median } from "../measure/statistics.js";
import type { Section } from "../report/section.js";
import { atMost, type Verdict } from "../report/verdict.js";
import { consulAnswer } from "./consul-answer.js";
import { type AnswerCost, endpointsIn, FollowedPool } from "./followed-pool.js";

const MANY = 10_000;
const FEW = 100;
const ROUNDS = 9;
/** A few are over too soon for a clock to tell, and before the compiler has looked at them. */
const FEW_ROUNDS = 200;
const REPEATS = 20;
const HEADS = [
  "",
  "JSON.parse ms",
  "read ms",
  "guards ms",
  "pool ms",
  "us/endpoint",
  "all but JSON.parse to it",
];

/** One kind of answer: medians over its rounds, and what the pool was given by one. */
export interface AnswerResult extends AnswerCost {
  readonly name: string;
  readonly endpoints: number;
  readonly updates: number;
  readonly added: number;
  readonly removed: number;
}

/** What an answer of 10,000 endpoints costs from its text to the pool, and what it costs when it is nothing new. */
export async function* ofAnswers(): AsyncGenerator<Section> {
  const few = consulAnswer(FEW);
  const many = consulAnswer(MANY);
  first(few, "", FEW_ROUNDS);
  first(many, "", 2);
  const results = [
    first(few, `first answer, ${FEW}`, FEW_ROUNDS),
    first(many, "first answer, 10,000", ROUNDS),
    next(many, "the same again", () => many),
    next(many, "the same, rotated", () => rotated(many)),
    next(many, "one of them another", (round) => consulAnswer(MANY, round)),
  ];
  const heap = { bytesPerEndpoint: await keptBytes(many), againBytesPerEndpoint: await againBytes(many) };
  yield {
    part: "answers",
    data: { title: "answers", results, ...heap },
    table: [
      `Answers of Consul's health endpoint (${(many.length / MANY).toFixed(0)} B for each endpoint; medians of ${ROUNDS}, of the first row ${FEW_ROUNDS})`,
      alignColumns([HEADS, ...results.map(row)]),
      `an endpoint of 10,000 keeps ${heap.bytesPerEndpoint.toFixed(0)} B of heap, guards and pool together; the guards allocate ${heap.againBytesPerEndpoint.toFixed(2)} B for each when all is as it was`,
    ].join("\n"),
    verdicts: verdictsOf(results, heap),
  };
}

function verdictsOf(results: readonly AnswerResult[], heap: HeapCost): Verdict[] {
  const [few, many, again, turned, changed] = results;
  if (!few || !many || !again || !turned || !changed) return [];
  return [
    atMost("10,000 at first: updates of the pool beyond one", many.updates - 1, 0),
    atMost("10,000 at first: read, guards and pool, to JSON.parse", ownMs(many) / many.jsonMs, 2),
    // Next to JSON.parse, which is slower for each as well where there is more to keep in memory.
    atMost(
      "10,000 at first, to 100: the same ratio",
      ownMs(many) / many.jsonMs / (ownMs(few) / few.jsonMs),
      2.5,
    ),
    atMost("10,000 at first: heap bytes kept per endpoint", heap.bytesPerEndpoint, 4_096),
    atMost("the same again, or rotated: updates of the pool", again.updates + turned.updates, 0),
    atMost("the same again: guards, to JSON.parse", again.guardsMs / again.jsonMs, 0.1),
    atMost("the same again: heap bytes of the guards per endpoint", heap.againBytesPerEndpoint, 1),
    atMost("one another: updates but one", Math.abs(changed.updates - 1), 0),
    atMost("one another: endpoints touched but the two", Math.abs(changed.added + changed.removed - 2), 0),
    atMost(
      "one another: guards and pool, to JSON.parse",
      (changed.guardsMs + changed.poolMs) / changed.jsonMs,
      0.5,
    ),
  ];
}

interface HeapCost {
  readonly bytesPerEndpoint: number;
  readonly againBytesPerEndpoint: number;
}

/** A pool of its own for each round, which knows nothing yet. */
function first(text: string, name: string, rounds: number): AnswerResult {
  const costs: AnswerCost[] = [];
  let counts = { endpoints: 0, updates: 0, added: 0, removed: 0 };
  for (let round = 0; round < rounds; round++) {
    const followed = new FollowedPool();
    costs.push(followed.answer(text));
    const { endpoints, updates, added, removed } = followed;
    counts = { endpoints, updates, added, removed };
    followed.close();
  }
  return { name, ...medians(costs), ...counts };
}

/** One pool that has the first answer, and hears others after it; counts are the most of any. */
function next(text: string, name: string, answer: (round: number) => string): AnswerResult {
  const followed = new FollowedPool();
  followed.answer(text);
  const costs: AnswerCost[] = [];
  const most = { updates: 0, added: 0, removed: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const said = answer(round);
    followed.forget();
    costs.push(followed.answer(said));
    for (const key of ["updates", "added", "removed"] as const)
      most[key] = Math.max(most[key], followed[key]);
    // Back to what it was, so that each round changes the same.
    followed.answer(text);
  }
  const { endpoints } = followed;
  followed.close();
  return { name, ...medians(costs), ...most, endpoints };
}

/** Heap that guards and pool keep for each endpoint, what is read of the answer included. */
async function keptBytes(text: string): Promise<number> {
  const followed = new FollowedPool();
  const before = await heapInUse();
  followed.answer(text);
  const bytes = (await heapInUse()) - before;
  const { endpoints } = followed;
  followed.close();
  return bytes / endpoints;
}

/** Heap that the guards allocate for each endpoint of an answer that they know. */
async function againBytes(text: string): Promise<number> {
  const followed = new FollowedPool();
  followed.answer(text);
  const again = endpointsIn(text);
  const tell = async (): Promise<void> => {
    for (let repeat = 0; repeat < REPEATS; repeat++) followed.tellGuards(again);
  };
  // The first run also allocates what compiling it takes.
  await measureHeapBytes(REPEATS * MANY, tell);
  const bytes = await measureHeapBytes(REPEATS * MANY, tell);
  followed.close();
  return bytes;
}

/** The same instances, from the second on and the first at the end, as a source that balances load tells them. */
function rotated(text: string): string {
  const [head, ...rest] = JSON.parse(text) as unknown[];
  return JSON.stringify([...rest, head]);
}

function medians(costs: readonly AnswerCost[]): AnswerCost {
  const of = (key: keyof AnswerCost): number => median(costs.map((cost) => cost[key]));
  return { jsonMs: of("jsonMs"), readMs: of("readMs"), guardsMs: of("guardsMs"), poolMs: of("poolMs") };
}

/** All that is ours. */
function ownMs({ readMs, guardsMs, poolMs }: AnswerCost): number {
  return readMs + guardsMs + poolMs;
}

function microsEach(result: AnswerResult): number {
  return (ownMs(result) * 1_000) / result.endpoints;
}

function row(result: AnswerResult): string[] {
  const { name, jsonMs, readMs, guardsMs, poolMs } = result;
  return [
    name,
    ...[jsonMs, readMs, guardsMs, poolMs].map((ms) => ms.toFixed(3)),
    microsEach(result).toFixed(2),
    (ownMs(result) / jsonMs).toFixed(2),
  ];
}
