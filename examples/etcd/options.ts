import { parseArgs } from "node:util";
import type { ServerChoice } from "./cluster.js";

export interface ExampleOptions {
  readonly servers: ServerChoice;
  readonly seconds: number;
  readonly isJson: boolean;
  readonly isHelp: boolean;
}

const SECONDS = { min: 5, max: 3_600, default: 20 };

export const HELP = `Calls three servers that die and freeze, once hardened by Holdfast and once with bare grpc-js, and compares.

usage: npm start -- [flags]      (or: node --import tsx examples/etcd/main.ts [flags])

  --etcd         insist on a real three-node etcd; an error when etcd is not on PATH
  --own          use three small server processes of the example itself
                 (neither: etcd when it is on PATH, else own servers)
  --seconds N    length of the load, ${SECONDS.min} to ${SECONDS.max}, default ${SECONDS.default}; the faults scale with it
  --json         one JSON object on standard output, everything else on standard error
                 (npm start prints a heading of its own; npm start --silent does not)
  --help         this text

Exit code: 0 when no Range failed on Holdfast's side, 1 when one did, 2 for wrong flags or when it could not run.`;

/** Wrong use of the command line; the message names flag, value and what is allowed. */
export class UsageError extends Error {}

const FLAGS = {
  etcd: { type: "boolean" },
  own: { type: "boolean" },
  seconds: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean" },
} as const;

/**
 * Reads the command line.
 * @throws {UsageError} naming the flag, its value and what is allowed.
 */
export function parseOptions(args: readonly string[]): ExampleOptions {
  // Not strict, because parseArgs' own messages name neither the value nor what would be allowed.
  const { values, tokens } = parseArgs({ args: [...args], options: FLAGS, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === "positional")
      throw new UsageError(`unexpected argument "${token.value}"; allowed are ${allFlags()}`);
    if (token.kind === "option") checkFlag(token.name, token.rawName, token.value);
  }
  if (values.etcd && values.own)
    throw new UsageError("--etcd and --own exclude each other; give one of them");
  return {
    servers: values.etcd ? "etcd" : values.own ? "own" : "auto",
    seconds: values.seconds === undefined ? SECONDS.default : readSeconds(String(values.seconds)),
    isJson: values.json === true,
    isHelp: values.help === true,
  };
}

function checkFlag(name: string, rawName: string, value: string | undefined): void {
  if (!rawName.startsWith("--") || !Object.hasOwn(FLAGS, name)) {
    const given = value === undefined ? "" : ` with the value "${value}"`;
    throw new UsageError(`unknown flag ${rawName}${given}; allowed are ${allFlags()}`);
  }
  const { type } = FLAGS[name as keyof typeof FLAGS];
  if (type === "boolean" && value !== undefined)
    throw new UsageError(`${rawName} takes no value, but got "${value}"`);
  if (type === "string" && value === undefined)
    throw new UsageError(`${rawName} needs a value: ${secondsRange()}`);
}

function readSeconds(text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= SECONDS.min && seconds <= SECONDS.max) return seconds;
  throw new UsageError(`--seconds is "${text}"; allowed is ${secondsRange()}`);
}

function secondsRange(): string {
  return `a number of seconds from ${SECONDS.min} to ${SECONDS.max}`;
}

function allFlags(): string {
  return Object.keys(FLAGS)
    .map((name) => `--${name}`)
    .join(", ");
}
