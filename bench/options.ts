import { parseArgs } from "node:util";
import type { ClerkBenchOptions } from "./clerk/run.js";
import { FAULT_NAMES, type FaultName } from "./faults/fault-kinds.js";
import { STACKS, type Stack } from "./stacks/index.js";

/** What the bench measures, in the order in which it does. */
export const PARTS = ["fake", "sockets", "streams", "memory", "outage"] as const;
/** What it measures with `--pool`. */
export const POOL_PARTS = ["picks", "update", "slow", "limit", "window"] as const;
/** What it measures with `--consul`. */
export const CONSUL_PARTS = ["changes", "away"] as const;
export type Part = (typeof PARTS | typeof POOL_PARTS | typeof CONSUL_PARTS)[number] | "faults" | "answers";

export const USAGE = `Usage: npm run bench -- [flags]

  --only <part>     one part only; default all of them, four to five minutes on two quiet cores:
                      fake      unary calls over a transport that answers at once: what the client's own code costs
                      sockets   unary calls to servers on loopback, with 1, 64 and 256 in flight
                      streams   streams of 1,000 messages to the same servers, per message
                      memory    what calls of 1 MiB hold while a server reads nothing
                      outage    attempts that reach servers which fail everything, on a simulated clock
  --stacks <a,b>    rows of the first three, of: ${wrapped(STACKS.map(({ name }) => name))};
                    the first given is what ratios refer to; targets are judged where that is bare
  --rounds <n>      rounds per table of the first three, 1 to 200; default 15, or as many as fit into 90 s
  --calls <n>       calls per slice, 100 to 200,000; default 5,000 for fake; 250, 512 and 1,024 for sockets
  --pool            the connection pool instead, about three minutes; of the flags above it takes --only, with one of:
                      picks     a pick of every policy among 3, 100 and 10,000 endpoints
                      update    changes of one endpoint in 10,000, and what one costs that is never called
                      slow      one server in five ten times slower
                      limit     1,000 calls at once to a server of 100 streams per connection
                      window    messages of 64 KiB
  --faults          servers and networks that break, next to bare grpc-js, instead: about two minutes; takes --only, with
                    one of: ${wrapped(FAULT_NAMES)}
  --consul          a client that follows a real Consul instead, about two and a half minutes; takes --only, with one of:
                      changes   a minute in which a service scales, restarts, changes weights and tags
                      away      Consul killed, frozen, without a leader
  --discovery       answers of 10,000 endpoints instead, from their text to the pool: about half a minute
  --clerk           the Clerk next to eraft's own client instead, about two minutes; takes only the next three flags
  --seconds <n>     of it, seconds per client and number of sessions without faults, 0 to 60; default 5
  --repeats <n>     of it, outages of each kind, 0 to 100; default 10
  --workers <n>     of it, writers of each client during the outages, 1 to 64; default 8
  --json            the numbers as JSON instead of tables
  --help            this text`;

/** Runs of their own, in place of the calls. */
const MODES = ["clerk", "pool", "faults", "consul", "discovery"] as const;
type Mode = "calls" | (typeof MODES)[number];
const CLERK_FLAGS = ["seconds", "repeats", "workers"] as const;
const FLAGS = ["rounds", "calls", "only", "stacks", ...CLERK_FLAGS] as const;
const FLAGS_OF: Readonly<Record<Mode, readonly string[]>> = {
  calls: ["rounds", "calls", "only", "stacks"],
  pool: ["only"],
  faults: ["only"],
  consul: ["only"],
  discovery: [],
  clerk: CLERK_FLAGS,
};
const DEFAULT_ROUNDS = 15;
const DEFAULT_LIMIT_MS = 90_000;

export interface BenchOptions {
  readonly rounds: number;
  /** How long one table may take; no limit where the rounds were asked for. */
  readonly limitMs: number;
  /** Undefined for each part's own default. */
  readonly calls: number | undefined;
  readonly parts: readonly Part[];
  readonly stacks: readonly Stack[];
  /** Of the part "faults". */
  readonly faults: readonly FaultName[];
  /** Set when only the Clerk's part was asked for. */
  readonly clerk: ClerkBenchOptions | undefined;
  readonly isJson: boolean;
}

/** Names over as many lines as the usage needs for them. */
function wrapped(names: readonly string[]): string {
  const half = Math.ceil(names.length / 2);
  return [names.slice(0, half), names.slice(half)]
    .map((some) => some.join(", "))
    .join(",\n                    ");
}

/** A flag that cannot be used; the message says what is allowed. */
export class BadFlag extends Error {}

/** @returns the options, or null when only the usage was asked for. @throws BadFlag */
export function parseOptions(args: readonly string[]): BenchOptions | null {
  const values = parsed(args);
  if (values.help === true) return null;
  const mode = modeOf(values);
  return {
    rounds: wholeNumber("--rounds", values.rounds, 1, 200) ?? DEFAULT_ROUNDS,
    limitMs: values.rounds === undefined ? DEFAULT_LIMIT_MS : Number.POSITIVE_INFINITY,
    calls: wholeNumber("--calls", values.calls, 100, 200_000),
    parts: partsOf(mode, values.only),
    stacks: stacksOf(values.stacks),
    faults: mode === "faults" ? chosenOf(FAULT_NAMES, values.only) : FAULT_NAMES,
    clerk: mode === "clerk" ? clerkOf(values) : undefined,
    isJson: values.json === true,
  };
}

function parsed(args: readonly string[]) {
  try {
    const text = { type: "string" } as const;
    const toggle = { type: "boolean" } as const;
    const calls = { rounds: text, calls: text, only: text, stacks: text };
    const clerk = { clerk: toggle, seconds: text, repeats: text, workers: text };
    const options = {
      ...calls,
      ...clerk,
      pool: toggle,
      faults: toggle,
      consul: toggle,
      discovery: toggle,
      json: toggle,
      help: toggle,
    };
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    throw new BadFlag(error instanceof Error ? error.message : String(error));
  }
}

/** Which run is asked for; each takes flags of its own. */
function modeOf(values: ReturnType<typeof parsed>): Mode {
  const asked = MODES.filter((mode) => values[mode] === true);
  if (asked.length > 1)
    throw new BadFlag(`--${asked.join(" and --")} are runs of their own; give one of them`);
  const mode = asked[0] ?? "calls";
  const foreign = FLAGS.find((flag) => values[flag] !== undefined && !FLAGS_OF[mode].includes(flag));
  if (foreign === undefined) return mode;
  const isClerks = CLERK_FLAGS.some((flag) => flag === foreign);
  throw new BadFlag(`--${foreign} is not for ${isClerks ? "runs without --clerk" : `--${mode}`}`);
}

function clerkOf(values: ReturnType<typeof parsed>): ClerkBenchOptions {
  return {
    seconds: wholeNumber("--seconds", values.seconds, 0, 60) ?? 5,
    repeats: wholeNumber("--repeats", values.repeats, 0, 100) ?? 10,
    workers: wholeNumber("--workers", values.workers, 1, 64) ?? 8,
  };
}

function wholeNumber(flag: string, text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new BadFlag(`${flag} is ${JSON.stringify(text)}; allowed: a whole number from ${min} to ${max}`);
}

function partsOf(mode: Mode, only: string | undefined): readonly Part[] {
  if (mode === "faults") return ["faults"];
  if (mode === "discovery") return ["answers"];
  if (mode === "consul") return chosenOf(CONSUL_PARTS, only);
  return chosenOf<Part>(mode === "pool" ? POOL_PARTS : PARTS, only);
}

/** All of them, or the one that was asked for. */
function chosenOf<Name extends string>(all: readonly Name[], only: string | undefined): readonly Name[] {
  if (only === undefined) return all;
  const chosen = all.find((name) => name === only);
  if (chosen !== undefined) return [chosen];
  throw new BadFlag(`--only is ${JSON.stringify(only)}; allowed: ${all.join(", ")}`);
}

function stacksOf(text: string | undefined): readonly Stack[] {
  if (text === undefined) return STACKS;
  const names = text.split(",");
  const chosen = names.map((name) => STACKS.find((stack) => stack.name === name));
  if (chosen.every((stack) => stack !== undefined)) return chosen;
  const unknown = names.filter((_, at) => chosen[at] === undefined);
  const allowed = STACKS.map(({ name }) => name).join(", ");
  throw new BadFlag(
    `--stacks names ${unknown.map((name) => JSON.stringify(name)).join(", ")}; allowed: ${allowed}`,
  );
}
