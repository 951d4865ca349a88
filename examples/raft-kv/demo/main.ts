/**
 * `npm start`: a replicated key-value store in processes of its own, whose leader is killed, frozen and cut off while a
 * Clerk works. Reads the command line, shows, and sets the exit code; what happens is in `run.ts`.
 */
import { UsageError } from "../../shared/flags.js";
import { showLive } from "../../shared/live-view.js";
import { stopOnSignals } from "../../shared/stop-signal.js";
import { demoView } from "./live-view.js";
import { HELP, parseOptions } from "./options.js";
import { wantsColours } from "./paint.js";
import { exitCodeOf, formatReport } from "./report.js";
import { type Progress, runDemo } from "./run.js";
import { readWorkload } from "./workload.js";

const CANNOT_RUN = 2;

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options.isHelp) {
    console.log(HELP);
    return 0;
  }
  const workload = readWorkload(options.workloadFile);
  const out = options.isJson ? process.stderr : process.stdout;
  const signal = stopOnSignals();
  out.write(`starting ${options.nodes} nodes in processes of their own\n`);
  try {
    const onStart = (progress: Progress) => showLive(demoView(progress, wantsColours(out)), out);
    const report = await runDemo({ ...options, workload, signal, onStart });
    out.write(`\n${formatReport(report)}\n`);
    if (options.isJson) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    return exitCodeOf(report);
  } catch (error) {
    if (!signal.aborted) throw error;
    out.write("stopped before the end; the nodes are gone\n");
    return Number(signal.reason);
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = CANNOT_RUN;
  console.error(error instanceof UsageError ? `${error.message}\nSee --help.` : error);
}
