import { spawn } from "node:child_process";

/** How a process of its own ended. */
export interface Finished {
  readonly printed: string;
  /** Null when it had to be killed, because something kept it alive after its work was done. */
  readonly exitCode: number | null;
}

/**
 * Runs an ES module in TypeScript as a process of its own and waits for its end; once it has printed `done` it is
 * given `lingerMs` to end by itself.
 */
export function runToEnd(source: string, lingerMs: number): Promise<Finished> {
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", source], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  let timer: NodeJS.Timeout | undefined;
  child.stdout.on("data", (chunk) => {
    printed += chunk;
    if (printed.includes("done")) timer ??= setTimeout(() => child.kill("SIGKILL"), lingerMs);
  });
  child.stderr.on("data", (chunk) => {
    printed += chunk;
  });
  return new Promise((resolve) => {
    child.once("close", (exitCode) => {
      clearTimeout(timer);
      resolve({ printed, exitCode });
    });
  });
}
