import { parseArgs } from "node:util";
import { rangeText, readFlags, readNumber, UsageError } from "../shared/flags.js";

export type Command =
  | { readonly name: "get"; readonly key: string }
  | { readonly name: "put" | "append"; readonly key: string; readonly value: string }
  | { readonly name: "status" };

/** What the command line asks for. */
export type Request =
  | { readonly isHelp: true }
  | {
      readonly isHelp: false;
      /** `host:port` of each server. */
      readonly servers: readonly string[];
      readonly timeoutMs: number;
      readonly command: Command;
    };

const TIMEOUT_MS = { min: 1, max: 86_400_000, isWhole: true, noun: "a whole number of ms", default: 10_000 };

/** More than the Clerk's 100 ms, because a process that has just started has yet to connect. */
export const STATUS_TIMEOUT_MS = 500;

const COMMANDS = { get: "KEY", put: "KEY VALUE", append: "KEY VALUE", status: "" } as const;

export const HELP = `Reads and writes a replicated key-value store (eraft's KVService, or examples/raft-kv).

usage: node --import tsx examples/kv-client/main.ts --servers HOST:PORT,... [--timeout-ms N] COMMAND

  get KEY            prints the value
  put KEY VALUE      sets it
  append KEY VALUE   adds to its end; makes the key when it is not there
  status             prints what each server says of itself; one that does not answer within ${STATUS_TIMEOUT_MS} ms is Offline

  --servers LIST     the servers, as host:port with commas between; connections are plain TCP
  --timeout-ms N     time for get, put and append, elections and retries included:
                     ${TIMEOUT_MS.min} to ${TIMEOUT_MS.max} ms, default ${TIMEOUT_MS.default}
  --help             this text
  --                 before a key or value that starts with a dash

Exit code: 0 when done, 1 when the operation failed, the key does not exist, or every server is Offline, 2 for wrong use.
A put or append that fails with OUTCOME_UNKNOWN may have been applied, once, or may still be.`;

const FLAGS = {
  servers: { type: "string", allowed: "host:port, or several with commas between" },
  "timeout-ms": { type: "string", allowed: rangeText(TIMEOUT_MS) },
  help: { type: "boolean" },
} as const;

/**
 * Reads the command line.
 * @throws {UsageError} naming what was given and what is allowed.
 */
export function parseOptions(args: readonly string[]): Request {
  const { flags, operands } = split(args);
  const values = readFlags(flags, FLAGS);
  if (values.has("help")) return { isHelp: true };
  return {
    isHelp: false,
    servers: readServers(values.text("servers")),
    timeoutMs: readNumber(values, "timeout-ms", TIMEOUT_MS, TIMEOUT_MS.default),
    command: readCommand(operands),
  };
}

/** Flags with their values on one side, the command with its key and value on the other. */
function split(args: readonly string[]): { flags: string[]; operands: string[] } {
  const { tokens } = parseArgs({
    args: [...args],
    options: FLAGS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const others = new Set(tokens.filter(({ kind }) => kind !== "option").map(({ index }) => index));
  const operands = tokens.flatMap((token) => (token.kind === "positional" ? [token.value] : []));
  return { flags: args.filter((_arg, index) => !others.has(index)), operands };
}

/** Only what a comma can do wrong; the Clerk checks the addresses. */
function readServers(list: string | undefined): string[] {
  const { allowed } = FLAGS.servers;
  if (list === undefined) throw new UsageError(`--servers is missing; allowed is ${allowed}`);
  const servers = list.split(",").map((address) => address.trim());
  if (servers.includes("")) throw new UsageError(`--servers is "${list}"; allowed is ${allowed}`);
  return servers;
}

function readCommand([name, ...operands]: readonly string[]): Command {
  const allowed = `allowed are ${Object.keys(COMMANDS).join(", ")}`;
  if (name === undefined) throw new UsageError(`no command was given; ${allowed}`);
  if (!isCommandName(name)) throw new UsageError(`unknown command "${name}"; ${allowed}`);
  const wanted = COMMANDS[name] === "" ? [] : COMMANDS[name].split(" ");
  if (operands.length !== wanted.length) {
    const takes = COMMANDS[name] === "" ? "nothing" : COMMANDS[name];
    const given = operands.length === 1 ? "1 argument" : `${operands.length} arguments`;
    throw new UsageError(`${name} takes ${takes} after it, but got ${given}`);
  }
  const [key = "", value = ""] = operands;
  if (name === "status") return { name };
  return name === "get" ? { name, key } : { name, key, value };
}

function isCommandName(text: string): text is keyof typeof COMMANDS {
  return Object.hasOwn(COMMANDS, text);
}
