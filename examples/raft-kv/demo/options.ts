import { fileURLToPath } from "node:url";
import { rangeText, readFlags, readNumber } from "../../shared/flags.js";

export interface DemoOptions {
  readonly seconds: number;
  readonly seed: number;
  readonly nodes: number;
  readonly sessions: number;
  readonly hasFaults: boolean;
  readonly workloadFile: string;
  readonly isJson: boolean;
  readonly isHelp: boolean;
}

const SECONDS = { noun: "a number of seconds", min: 5, max: 600, isWhole: false, default: 30 };
const SEED = { noun: "a whole number", min: 0, max: 2_147_483_647, isWhole: true, default: 1 };
// Two nodes or fewer have no majority once their leader is away: nothing would be left to show.
const NODES = { noun: "a whole number", min: 3, max: 7, isWhole: true, default: 3 };
const SESSIONS = { noun: "a whole number", min: 1, max: 64, isWhole: true, default: 8 };
const WORKLOAD = fileURLToPath(new URL("../workload.json", import.meta.url));

export const HELP = `Runs a replicated key-value store in processes of its own, hurts its leader again and again, and proves that the
Clerk has lost nothing, applied nothing twice and read nothing stale.

usage: npm start -- [flags]      (or: node --import tsx examples/raft-kv/demo/main.ts [flags])

  --seconds N      length of the load, ${SECONDS.min} to ${SECONDS.max}, default ${SECONDS.default}; the faults scale with it, and the end waits for them
  --seed N         fixes the workload and the order, times and lengths of the faults, ${SEED.min} to ${SEED.max}, default ${SEED.default}
  --nodes N        processes in the cluster, ${NODES.min} to ${NODES.max}, default ${NODES.default}; fewer would not survive the loss of one
  --sessions N     sessions of the Clerk, and operations in flight, ${SESSIONS.min} to ${SESSIONS.max}, default ${SESSIONS.default}
  --no-faults      leaves the cluster alone
  --workload FILE  what is called, instead of examples/raft-kv/workload.json
  --json           one JSON object on standard output, everything else on standard error
                   (npm start prints a heading of its own; npm start --silent does not)
  -h, --help       this text

Exit code: 0 when operations were acknowledged, all planned faults happened (but for what this system cannot do), the
cluster is whole at the end, nothing was lost or applied twice, and the history is linearizable; 1 when it is proven that
something was lost, applied twice, out of order or never called, or that the history is not linearizable; 2 when none of
both is proven, for wrong flags, for a bad workload file, or when it could not run; 130 after Ctrl-C, 141 after a broken
pipe.`;

const FLAGS = {
  seconds: { type: "string", allowed: rangeText(SECONDS) },
  seed: { type: "string", allowed: rangeText(SEED) },
  nodes: { type: "string", allowed: rangeText(NODES) },
  sessions: { type: "string", allowed: rangeText(SESSIONS) },
  "no-faults": { type: "boolean" },
  workload: { type: "string", allowed: "the path of a workload file" },
  json: { type: "boolean" },
  help: { type: "boolean" },
} as const;

/**
 * Reads the command line.
 * @throws {UsageError} naming the flag, its value and what is allowed.
 */
export function parseOptions(args: readonly string[]): DemoOptions {
  const values = readFlags(args, FLAGS);
  return {
    seconds: readNumber(values, "seconds", SECONDS, SECONDS.default),
    seed: readNumber(values, "seed", SEED, SEED.default),
    nodes: readNumber(values, "nodes", NODES, NODES.default),
    sessions: readNumber(values, "sessions", SESSIONS, SESSIONS.default),
    hasFaults: !values.has("no-faults"),
    workloadFile: values.text("workload") ?? WORKLOAD,
    isJson: values.has("json"),
    isHelp: values.has("help"),
  };
}
