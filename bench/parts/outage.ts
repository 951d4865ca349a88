import { alignColumns } from "../../examples/shared/align-columns.js";
import type { ChannelOptions } from "../../src/index.js";
import { type OutageLoad, simulateOutage } from "../outage/simulate.js";
import type { Section } from "../report/section.js";
import { atMost, type Verdict } from "../report/verdict.js";

const CLIENTS = 100;
const CALLS_PER_CLIENT = 50;
const SEED = 1;

interface Row {
  readonly name: string;
  readonly options: Partial<ChannelOptions>;
  readonly callEveryMs: number;
  readonly servers: number;
  /** Offered load that may reach the servers; null where there is no target. */
  readonly limit: number | null;
}

const SPREAD = { callEveryMs: 100, servers: 3 };
const AT_ONCE = { callEveryMs: 0, servers: 3 };
const UNTHROTTLED: Row["options"] = { retry: { throttle: false } };

/** Of three servers the breakers may take out one only, so what bounds the load there is the throttle. */
const ROWS: readonly Row[] = [
  { name: "no retries", options: { retry: false }, ...SPREAD, limit: null },
  { name: "retries without throttle", options: UNTHROTTLED, ...SPREAD, limit: 3 },
  { name: "retries without throttle, all calls at once", options: UNTHROTTLED, ...AT_ONCE, limit: 3 },
  { name: "defaults", options: {}, ...SPREAD, limit: 1.2 },
  { name: "defaults, all calls at once", options: {}, ...AT_ONCE, limit: 1.2 },
  { name: "defaults, one server, whose breaker may open", options: {}, ...SPREAD, servers: 1, limit: 1.2 },
];

const HEADS = ["", "calls", "attempts", "load", "most in 100 ms"];

/** Every server fails every call: how many attempts reach them, on a simulated clock. The same numbers on any machine. */
export async function* throughOutage(): AsyncGenerator<Section> {
  const results: (OutageLoad & { readonly name: string })[] = [];
  const verdicts: Verdict[] = [];
  for (const { name, limit, ...row } of ROWS) {
    const load = await simulateOutage({
      clients: CLIENTS,
      callsPerClient: CALLS_PER_CLIENT,
      seed: SEED,
      ...row,
    });
    results.push({ name, ...load });
    if (limit !== null) verdicts.push(atMost(`${name}: offered load times`, load.load, limit));
  }
  const head = `Total outage, simulated: ${CLIENTS} clients of ${CALLS_PER_CLIENT} calls each, all servers failing (seed ${SEED})`;
  yield {
    part: "outage",
    data: { title: "outage", seed: SEED, results },
    table: [head, alignColumns([HEADS, ...results.map(cells)])].join("\n"),
    verdicts,
  };
}

function cells({
  name,
  calls,
  attempts,
  load,
  peakPer100Ms,
}: OutageLoad & { readonly name: string }): string[] {
  return [name, String(calls), String(attempts), load.toFixed(2), String(peakPer100Ms)];
}
