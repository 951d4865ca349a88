/**
 * A command-line client of a replicated key-value store: get, put, append, status. What a user of Holdfast writes is
 * `run`; the rest is the command line.
 */
import { type Clerk, createClerk, isReason, ResilienceError } from "holdfast";
import { UsageError } from "../shared/flags.js";
import { type Command, HELP, parseOptions, STATUS_TIMEOUT_MS } from "./options.js";
import { formatStatus } from "./status-table.js";

const FAILED = 1;
const WRONG_USE = 2;

async function main(args: readonly string[]): Promise<number> {
  const request = parseOptions(args);
  if (request.isHelp) {
    console.log(HELP);
    return 0;
  }
  const { servers, timeoutMs, command } = request;
  await using clerk = createClerk({
    servers: [...servers],
    // Plain TCP, because eraft's servers know no TLS; anywhere else, give `credentials` instead.
    insecure: true,
    timeoutMs,
  });
  return await run(clerk, command);
}

async function run(clerk: Clerk, command: Command): Promise<number> {
  switch (command.name) {
    case "get": {
      const value = await clerk.get(command.key);
      if (value === undefined) {
        console.error(`the key ${JSON.stringify(command.key)} does not exist`);
        return FAILED;
      }
      console.log(value);
      return 0;
    }
    case "put":
      await clerk.put(command.key, command.value);
      console.log("OK");
      return 0;
    case "append":
      await clerk.append(command.key, command.value);
      console.log("OK");
      return 0;
    case "status":
      return await showStatus(clerk);
  }
}

async function showStatus(clerk: Clerk): Promise<number> {
  const servers = await clerk.status({ timeoutMs: STATUS_TIMEOUT_MS });
  console.log(formatStatus(servers));
  const offline = servers.filter(({ state }) => state === "Offline");
  for (const { address, error } of offline) console.error(`${address} is Offline: ${error}`);
  return offline.length === servers.length ? FAILED : 0;
}

/** Prints why it failed; the message of OUTCOME_UNKNOWN holds the ids that the servers' log shows the write under. */
function report(error: unknown): number {
  if (error instanceof UsageError) {
    console.error(`${error.message}\nSee --help.`);
    return WRONG_USE;
  }
  if (error instanceof ResilienceError) {
    console.error(error.message);
    return isReason(error, "CONFIG_INVALID") ? WRONG_USE : FAILED;
  }
  console.error(error);
  return FAILED;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = report(error);
}
