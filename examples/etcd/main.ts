/**
 * `npm start`: an ordinary grpc-js stub for etcd's KV service, hardened and bare side by side, while one server is killed
 * and another frozen. Reads the command line, shows, and sets the exit code; what happens is in `run.ts`.
 */
import { constants } from "node:os";
import { findEtcd } from "../../scripts/etcd-cluster.mjs";
import { resolveServers } from "./cluster.js";
import { showLive } from "./live-view.js";
import { HELP, parseOptions, UsageError } from "./options.js";
import { runComparison } from "./run.js";
import { formatTable, formatVerdict, hasPassed } from "./table.js";

const CANNOT_RUN = 2;
/** Stopping takes milliseconds; after this the process goes anyway, and the watchdog clears up behind it. */
const STOP_LIMIT_MS = 5_000;

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options.isHelp) {
    console.log(HELP);
    return 0;
  }
  if (options.servers === "etcd" && findEtcd() === undefined) {
    throw new UsageError(
      "--etcd needs etcd on PATH, and it is not there (Debian: apt-get install etcd-server)",
    );
  }
  const servers = resolveServers(options.servers);
  const out = options.isJson ? process.stderr : process.stdout;
  out.write(`${whichServers(servers, options.servers === "auto")}\n`);
  const signal = stopOnSignals();
  try {
    const onStart = (progress: Parameters<typeof showLive>[0]) => showLive(progress, out);
    const report = await runComparison({ servers, seconds: options.seconds, signal, onStart });
    out.write(`\n${formatTable(report)}\n\n${formatVerdict(report)}\n`);
    const passed = hasPassed(report);
    if (options.isJson) process.stdout.write(`${JSON.stringify({ ...report, passed }, null, 2)}\n`);
    return passed ? 0 : 1;
  } catch (error) {
    if (!signal.aborted) throw error;
    out.write("stopped before the end; the servers are gone\n");
    return Number(signal.reason);
  }
}

function whichServers(servers: "etcd" | "own", isChosenHere: boolean): string {
  if (servers === "etcd") return "Servers: a real etcd of three nodes, started on loopback for this run.";
  const why = isChosenHere ? " (etcd is not on PATH)" : "";
  return `Servers: three small ones of this example${why}, each with its own keys, nothing replicated.`;
}

/** Aborts, with the exit code as the reason, on the first signal, and when the script that started us has gone. */
function stopOnSignals(): AbortSignal {
  const stop = new AbortController();
  const end = (code: number): void => {
    if (stop.signal.aborted) return;
    stop.abort(code);
    setTimeout(() => process.exit(code), STOP_LIMIT_MS).unref();
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(name, () => end(128 + constants.signals[name]));
  process.on("disconnect", () => end(1));
  process.channel?.unref();
  // `npm start | head`: nobody reads any more.
  process.stdout.on("error", () => end(1));
  return stop.signal;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = CANNOT_RUN;
  console.error(error instanceof UsageError ? `${error.message}\nSee --help.` : error);
}
