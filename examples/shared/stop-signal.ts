import { constants } from "node:os";

/** Stopping takes milliseconds; after this the process goes anyway, and the watchdog clears up behind it. */
const STOP_LIMIT_MS = 5_000;
/** What a program ends with that could not do its work, as for wrong flags; 1 is kept for what it was to find out. */
export const CANNOT_RUN = 2;
/** 128 and SIGPIPE, which Node ignores: nobody reads any more, as after `| head`. */
const BROKEN_PIPE = 141;

/**
 * Aborts, with the exit code as the reason, on the first signal, when the script that started us has gone, when an output
 * cannot be written to, and on an error that nobody caught. To be called once, at the start of a program.
 */
export function stopOnSignals(): AbortSignal {
  const stop = new AbortController();
  const end = (code: number): void => {
    if (stop.signal.aborted) return;
    // For an error after the work was done, when nobody looks at the signal any more.
    process.exitCode = code;
    stop.abort(code);
    setTimeout(() => process.exit(code), STOP_LIMIT_MS).unref();
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(name, () => end(128 + constants.signals[name]));
  process.on("disconnect", () => end(CANNOT_RUN));
  process.channel?.unref();
  for (const out of [process.stdout, process.stderr]) {
    out.on("error", (error: NodeJS.ErrnoException) => {
      if (stop.signal.aborted) return;
      if (error.code === "EPIPE") return end(BROKEN_PIPE);
      if (out === process.stdout) console.error(`standard output cannot be written to: ${error.message}`);
      end(CANNOT_RUN);
    });
  }
  process.on("uncaughtException", (error) => {
    console.error(error);
    end(CANNOT_RUN);
  });
  return stop.signal;
}
