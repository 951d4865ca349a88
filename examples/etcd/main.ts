/**
 * `npm run example:etcd`: an ordinary grpc-js stub for etcd's KV service, hardened and bare side by side, while one server is killed
 * and another frozen. Reads the command line, shows, and sets the exit code; what happens is in `run.ts`.
 */
import { findEtcd } from "../../scripts/etcd-cluster.mjs";
import { UsageError } from "../shared/flags.js";
import { showLive } from "../shared/live-view.js";
import { runProgram } from "../shared/run-program.js";
import { resolveServers } from "./cluster.js";
import { comparisonView } from "./live-view.js";
import { HELP, parseOptions } from "./options.js";
import { type Progress, runComparison } from "./run.js";
import { formatTable, formatVerdict, hasPassed } from "./table.js";

let out: NodeJS.WriteStream = process.stderr;

async function main(signal: AbortSignal): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
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
  if (!options.isJson) out = process.stdout;
  out.write(`${whichServers(servers, options.servers === "auto")}\n`);
  const onStart = (progress: Progress) => showLive(comparisonView(progress), out);
  const report = await runComparison({ servers, seconds: options.seconds, signal, onStart });
  out.write(`\n${formatTable(report)}\n\n${formatVerdict(report)}\n`);
  const passed = hasPassed(report);
  if (options.isJson) process.stdout.write(`${JSON.stringify({ ...report, passed }, null, 2)}\n`);
  return passed ? 0 : 1;
}

function whichServers(servers: "etcd" | "own", isChosenHere: boolean): string {
  if (servers === "etcd") return "Servers: a real etcd of three nodes, started on loopback for this run.";
  const why = isChosenHere ? " (etcd is not on PATH)" : "";
  return `Servers: three small ones of this example${why}, each with its own keys, nothing replicated.`;
}

await runProgram(main, () => out.write("stopped before the end; the servers are gone\n"));
