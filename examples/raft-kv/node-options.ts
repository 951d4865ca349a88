import { parseArgs } from "node:util";
import { UsageError } from "../shared/flags.js";
import { DEFAULT_TIMING, type RaftTiming, resolveTiming } from "./raft/raft-timing.js";

export interface NodeOptions {
  /** Holdfast's file, with the cluster's addresses under `raftPeers.kv`. */
  readonly configPath: string;
  /** Position of this node in those addresses. */
  readonly me: number;
  /** `host:port` to serve on; port 0 takes a free one. */
  readonly listen: string;
  /** Folder of the log. */
  readonly dataPath: string;
  readonly timing: RaftTiming;
}

export const HELP = `One node of the replicated key-value cluster of examples/raft-kv.

usage: node --import tsx examples/raft-kv/node.ts --config FILE --me N --listen HOST:PORT --data DIR [flags]

  --config FILE        Holdfast's configuration; raftPeers.kv.addresses lists the cluster
  --me N               position of this node in that list, from 0
  --listen HOST:PORT   where to serve; port 0 takes a free one
  --data DIR           folder of the node's log, made when missing; never share it between nodes
  --heartbeat-ms N     between two rounds of heartbeats, default ${DEFAULT_TIMING.heartbeatMs}
  --election-min-ms N  shortest silence before an election, default ${DEFAULT_TIMING.electionMinMs}
  --election-max-ms N  longest one, default ${DEFAULT_TIMING.electionMaxMs}
  --help               this text

Prints "ready HOST:PORT" when it serves, and changes of role on standard error. SIGTERM ends it.
Exit code: 0 after SIGTERM or SIGINT, 1 when it could not go on, 2 for wrong flags or a wrong configuration.`;

const FLAGS = {
  config: { type: "string" },
  me: { type: "string" },
  listen: { type: "string" },
  data: { type: "string" },
  "heartbeat-ms": { type: "string" },
  "election-min-ms": { type: "string" },
  "election-max-ms": { type: "string" },
  help: { type: "boolean" },
} as const;
const MAX_PORT = 65_535;

type Values = Readonly<Record<string, string | boolean | undefined>>;

/**
 * Reads the command line.
 * @returns null when only the help was asked for
 * @throws UsageError
 */
export function parseNodeOptions(args: readonly string[]): NodeOptions | null {
  const values = readFlags(args);
  if (values["help"] === true) return null;
  return {
    configPath: required(values, "config", "a file"),
    me: readMe(required(values, "me", "0 or more")),
    listen: readListen(required(values, "listen", "HOST:PORT")),
    dataPath: required(values, "data", "a folder"),
    timing: readTiming(values),
  };
}

function readFlags(args: readonly string[]): Values {
  try {
    return parseArgs({ args: [...args], options: FLAGS, strict: true }).values as Values;
  } catch (error) {
    const allowed = Object.keys(FLAGS).map((name) => `--${name}`);
    throw new UsageError(`${(error as Error).message}\nAllowed flags: ${allowed.join(", ")}`);
  }
}

function required(values: Values, flag: keyof typeof FLAGS, allowed: string): string {
  const value = values[flag];
  if (typeof value === "string" && value !== "") return value;
  throw new UsageError(`--${flag} is ${value === undefined ? "missing" : "empty"}; allowed: ${allowed}`);
}

function readMe(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new UsageError(`--me is "${text}"; allowed: the node's position in the list of addresses, 0 or more`);
}

function readListen(text: string): string {
  const port = /^(?:\[[^\]]+\]|[^:[\]]+):(\d+)$/.exec(text)?.[1];
  if (port !== undefined && Number(port) <= MAX_PORT) return text;
  throw new UsageError(`--listen is "${text}"; allowed: HOST:PORT with a port from 0 to ${MAX_PORT}`);
}

function readTiming(values: Values): RaftTiming {
  const ms = (flag: keyof typeof FLAGS, fallback: number): number => {
    const text = values[flag];
    if (text === undefined) return fallback;
    if (typeof text === "string" && /^\d{1,9}$/.test(text)) return Number(text);
    throw new UsageError(`--${flag} is "${text}"; allowed: whole milliseconds`);
  };
  const timing = {
    heartbeatMs: ms("heartbeat-ms", DEFAULT_TIMING.heartbeatMs),
    electionMinMs: ms("election-min-ms", DEFAULT_TIMING.electionMinMs),
    electionMaxMs: ms("election-max-ms", DEFAULT_TIMING.electionMaxMs),
  };
  try {
    return resolveTiming(timing);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
