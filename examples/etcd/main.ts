/**
 * `npm run example:etcd`: an ordinary grpc-js stub for etcd's KV service, hardened and bare side by side, while one server is killed
 * and another frozen. Reads the command line, shows, and sets the exit code; what happens is in `run.ts`.
 */
import { findEtcd } from "../../scripts/etcd-cluster.mjs";
import { UsageError } from "../shared/flags.js";
import { showLive } from "../shared/live-view.js";
import { stopOnSignals } from "../shared/stop-signal.js";
import { resolveServers } from "./cluster.js";
import { comparisonView } from "./live-view.js";
import { HELP, parseOptions } from "./options.js";
import { type Progress, runComparison } from "./run.js";
import { formatTable, formatVerdict, hasPassed } from "./table.js";

const CANNOT_RUN = 2;

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
    const onStart = (progress: Progress) => showLive(comparisonView(progress), out);
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

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = CANNOT_RUN;
  console.error(error instanceof UsageError ? `${error.message}\nSee --help.` : error);
}
