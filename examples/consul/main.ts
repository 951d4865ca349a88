/**
 * `npm run example:consul`: servers put themselves into a real Consul, and a client follows them there. Reads the command
 * line, shows, and sets the exit code; what happens is in `story.ts`.
 */
import { findConsul } from "../../scripts/consul.mjs";
import { UsageError } from "../shared/flags.js";
import { showLive } from "../shared/live-view.js";
import { runProgram } from "../shared/run-program.js";
import { greeterView } from "./live-view.js";
import { HELP, parseOptions } from "./options.js";
import { type Progress, runExample } from "./run.js";
import { formatTable, hasPassed } from "./table.js";

let out: NodeJS.WriteStream = process.stderr;

async function main(signal: AbortSignal): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options.isHelp) {
    console.log(HELP);
    return 0;
  }
  if (findConsul() === undefined) {
    throw new UsageError(
      "this example needs Consul on PATH, and it is not there; install it (https://developer.hashicorp.com/consul/install), or build it with: node scripts/consul.mjs",
    );
  }
  if (!options.isJson) out = process.stdout;
  out.write("A Consul of its own on loopback, two servers, one client with 200 calls a second.\n");
  const onStart = (progress: Progress) => showLive(greeterView(progress), out);
  const report = await runExample({ seconds: options.seconds, signal, onStart });
  out.write(`\n${formatTable(report)}\n`);
  for (const text of report.failureTexts) out.write(`${text}\n`);
  const passed = hasPassed(report);
  if (options.isJson) process.stdout.write(`${JSON.stringify({ ...report, passed }, null, 2)}\n`);
  return passed ? 0 : 1;
}

await runProgram(main, () => out.write("stopped before the end; Consul and the servers are gone\n"));
