import { rangeText, readFlags, readNumber, UsageError } from "../shared/flags.js";
import type { ServerChoice } from "./cluster.js";

export interface ExampleOptions {
  readonly servers: ServerChoice;
  readonly seconds: number;
  readonly isJson: boolean;
  readonly isHelp: boolean;
}

const SECONDS = { noun: "a number of seconds", min: 5, max: 3_600, isWhole: false, default: 20 };

export const HELP = `Calls three servers that die and freeze, once hardened by Holdfast and once with bare grpc-js, and compares.

usage: npm run example:etcd -- [flags]      (or: node --import tsx examples/etcd/main.ts [flags])

  --etcd         insist on a real three-node etcd; an error when etcd is not on PATH
  --own          use three small server processes of the example itself
                 (neither: etcd when it is on PATH, else own servers)
  --seconds N    length of the load, ${SECONDS.min} to ${SECONDS.max}, default ${SECONDS.default}; the faults scale with it
  --json         one JSON object on standard output, everything else on standard error
                 (npm run prints a heading of its own; npm run --silent does not)
  -h, --help     this text

Exit code: 0 when no Range failed on Holdfast's side, 1 when one did, 2 for wrong flags or when it could not run;
130 after Ctrl-C, 141 after a broken pipe.`;

const FLAGS = {
  etcd: { type: "boolean" },
  own: { type: "boolean" },
  seconds: { type: "string", allowed: rangeText(SECONDS) },
  json: { type: "boolean" },
  help: { type: "boolean" },
} as const;

/**
 * Reads the command line.
 * @throws {UsageError} naming the flag, its value and what is allowed.
 */
export function parseOptions(args: readonly string[]): ExampleOptions {
  const values = readFlags(args, FLAGS);
  if (values.has("etcd") && values.has("own"))
    throw new UsageError("--etcd and --own exclude each other; give one of them");
  return {
    servers: values.has("etcd") ? "etcd" : values.has("own") ? "own" : "auto",
    seconds: readNumber(values, "seconds", SECONDS, SECONDS.default),
    isJson: values.has("json"),
    isHelp: values.has("help"),
  };
}
