import { parseArgs } from "node:util";
import type { ClerkBenchOptions } from "./clerk/run.js";
import { STACKS, type Stack } from "./stacks/index.js";

export const USAGE = `Usage: npm run bench -- [flags]

  --rounds <n>           rounds per table, 1 to 200; default 15, or as many as fit into 17 s
  --calls <n>            calls per slice, 100 to 200,000; default 10,000 over the fake transport, 1,000 over sockets
  --only fake|sockets    one half only; default both
  --stacks <a,b>         rows, of: ${STACKS.map(({ name }) => name).join(", ")}; the first given is what ratios refer to
  --clerk                the Clerk next to eraft's own client instead, about two minutes; takes only the flags below
  --seconds <n>          of it, seconds per client and number of sessions without faults, 0 to 60; default 5
  --repeats <n>          of it, outages of each kind, 0 to 100; default 10
  --workers <n>          of it, writers of each client during the outages, 1 to 64; default 8
  --json                 the numbers as JSON instead of tables
  --help                 this text`;

const CALL_FLAGS = ["rounds", "calls", "only", "stacks"] as const;
const CLERK_FLAGS = ["seconds", "repeats", "workers"] as const;
const DEFAULT_ROUNDS = 15;
const DEFAULT_LIMIT_MS = 17_000;

export interface BenchOptions {
  readonly rounds: number;
  /** How long one table may take; no limit where the rounds were asked for. */
  readonly limitMs: number;
  /** Undefined for each part's own default. */
  readonly calls: number | undefined;
  readonly parts: readonly ("fake" | "sockets")[];
  readonly stacks: readonly Stack[];
  /** Set when only the Clerk's part was asked for. */
  readonly clerk: ClerkBenchOptions | undefined;
  readonly isJson: boolean;
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
  if (text === undefined) return ["fake", "sockets"];
  if (text === "fake" || text === "sockets") return [text];
  throw new BadFlag(`--only is ${JSON.stringify(text)}; allowed: fake, sockets`);
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
