import { parseArgs } from "node:util";
import type { ClerkBenchOptions } from "./clerk/run.js";
import { STACKS, type Stack } from "./stacks/index.js";

/** What the bench measures, in the order in which it does. */
export const PARTS = ["fake", "sockets", "streams", "memory", "outage"] as const;
export type Part = (typeof PARTS)[number];

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
  --clerk           the Clerk next to eraft's own client instead, about two minutes; takes only the flags below
  --seconds <n>     of it, seconds per client and number of sessions without faults, 0 to 60; default 5
  --repeats <n>     of it, outages of each kind, 0 to 100; default 10
  --workers <n>     of it, writers of each client during the outages, 1 to 64; default 8
  --json            the numbers as JSON instead of tables
  --help            this text`;

const CALL_FLAGS = ["rounds", "calls", "only", "stacks"] as const;
const CLERK_FLAGS = ["seconds", "repeats", "workers"] as const;
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
  return {
    rounds: wholeNumber("--rounds", values.rounds, 1, 200) ?? DEFAULT_ROUNDS,
    limitMs: values.rounds === undefined ? DEFAULT_LIMIT_MS : Number.POSITIVE_INFINITY,
    calls: wholeNumber("--calls", values.calls, 100, 200_000),
    parts: partsOf(values.only),
    stacks: stacksOf(values.stacks),
    clerk: clerkOf(values),
    isJson: values.json === true,
  };
}

function parsed(args: readonly string[]) {
  try {
    const text = { type: "string" } as const;
    const toggle = { type: "boolean" } as const;
    const calls = { rounds: text, calls: text, only: text, stacks: text };
    const clerk = { clerk: toggle, seconds: text, repeats: text, workers: text };
    const options = { ...calls, ...clerk, json: toggle, help: toggle };
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    throw new BadFlag(error instanceof Error ? error.message : String(error));
  }
}

function clerkOf(values: ReturnType<typeof parsed>): ClerkBenchOptions | undefined {
  const isClerk = values.clerk === true;
  const foreign = (isClerk ? CALL_FLAGS : CLERK_FLAGS).find((flag) => values[flag] !== undefined);
  if (foreign !== undefined)
    throw new BadFlag(`--${foreign} is not for ${isClerk ? "" : "runs without "}--clerk`);
  if (!isClerk) return undefined;
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

function partsOf(text: string | undefined): BenchOptions["parts"] {
  if (text === undefined) return PARTS;
  const chosen = PARTS.find((part) => part === text);
  if (chosen !== undefined) return [chosen];
  throw new BadFlag(`--only is ${JSON.stringify(text)}; allowed: ${PARTS.join(", ")}`);
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
