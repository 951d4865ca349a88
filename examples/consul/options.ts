import { rangeText, readFlags, readNumber } from "../shared/flags.js";

export interface ExampleOptions {
  readonly seconds: number;
  readonly isJson: boolean;
  readonly isHelp: boolean;
}

const SECONDS = { noun: "a number of seconds", min: 5, max: 3_600, isWhole: false, default: 25 };

export const HELP = `Servers put themselves into a real Consul, and a client follows them there, while servers and Consul come and go.

usage: npm run example:consul -- [flags]      (or: node --import tsx examples/consul/main.ts [flags])

  --seconds N    length of the load, ${SECONDS.min} to ${SECONDS.max}, default ${SECONDS.default}; what happens scales with it
  --json         one JSON object on standard output, everything else on standard error
                 (npm run prints a heading of its own; npm run --silent does not)
  -h, --help     this text

Needs Consul on PATH (https://developer.hashicorp.com/consul/install), or one that node scripts/consul.mjs has built.

Exit code: 0 when no call failed, 1 when one did, 2 for wrong flags or when it could not run; 130 after Ctrl-C, 141 after
a broken pipe.`;

const FLAGS = {
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
  return {
    seconds: readNumber(values, "seconds", SECONDS, SECONDS.default),
    isJson: values.has("json"),
    isHelp: values.has("help"),
  };
}
