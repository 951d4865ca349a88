/**
 * `npm start`: a replicated key-value store in processes of its own, whose leader is killed, frozen and cut off while a
 * Clerk works. Reads the command line, shows, and sets the exit code; what happens is in `run.ts`.
 */
import { showLive } from "../../shared/live-view.js";
import { runProgram } from "../../shared/run-program.js";
import { demoView } from "./live-view.js";
import { HELP, parseOptions } from "./options.js";
import { wantsColours } from "./paint.js";
import { exitCodeOf, formatReport } from "./report.js";
import { type Progress, runDemo } from "./run.js";
import { readWorkload } from "./workload.js";

let out: NodeJS.WriteStream = process.stderr;

async function main(signal: AbortSignal): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options.isHelp) {
    console.log(HELP);
    return 0;
  }
  const workload = readWorkload(options.workloadFile);
  if (!options.isJson) out = process.stdout;
  out.write(`starting ${options.nodes} nodes in processes of their own\n`);
  const onStart = (progress: Progress) => showLive(demoView(progress, wantsColours(out)), out);
  const report = await runDemo({ ...options, workload, signal, onStart });
  out.write(`\n${formatReport(report)}\n`);
  if (options.isJson) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  return exitCodeOf(report);
}

await runProgram(main, () => out.write("stopped before the end; the nodes are gone\n"));
