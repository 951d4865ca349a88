import { UsageError } from "./flags.js";
import { CANNOT_RUN, stopOnSignals } from "./stop-signal.js";

/**
 * Runs a program up to its exit code: that of `main`, that of whatever stopped it, or 2 when it failed. `onStopped` says
 * that it was stopped, once all is cleaned up. Tells `scripts/start.mjs` that the exit code is meant: Node ends with 1 as
 * well, when it crashes.
 */
export async function runProgram(
  main: (stop: AbortSignal) => Promise<number>,
  onStopped: () => void,
): Promise<void> {
  const stop = stopOnSignals();
  let code: number;
  try {
    code = await main(stop);
  } catch (error) {
    code = CANNOT_RUN;
    if (stop.aborted) onStopped();
    else console.error(error instanceof UsageError ? `${error.message}\nSee --help.` : error);
  }
  // The errors of these outputs come after the writing.
  await Promise.all([process.stdout, process.stderr].map(flushed));
  if (stop.aborted) code = Number(stop.reason);
  process.exitCode = code;
  process.send?.({ exitCode: code });
}

function flushed(out: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (out.destroyed) resolve();
    else out.write("", () => setImmediate(resolve));
  });
}
