import { constants } from "node:os";

/** Stopping takes milliseconds; after this the process goes anyway, and the watchdog clears up behind it. */
const STOP_LIMIT_MS = 5_000;

/** Aborts, with the exit code as the reason, on the first signal, and when the script that started us has gone. */
export function stopOnSignals(): AbortSignal {
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
