/**
 * The last one out: a child of its own that holds a pipe to the process which started the servers. However that
 * process ends (Ctrl-C, SIGTERM, a crash, SIGKILL), the kernel closes its end of the pipe, and at that end-of-file
 * the servers still recorded here are killed and their folder is removed. Not to be run by hand.
 *
 * Input, one JSON value per line: `{"pid":1}` a server was started, `{"gone":1}` it has ended.
 */
import { readFileSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const DEATH_WAIT_MS = 3_000;
const folder = process.argv[2];
/** Pid to its start time, so that a pid which the system has since given to somebody else is left alone. */
const servers = new Map();

// Whoever is told to go tells its parent too, and that closes the pipe: leaving earlier would leave servers behind.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});

/** The start time in clock ticks; "unknown" without /proc; undefined once the process is dead, zombies included. */
function startTimeOf(pid) {
  if (process.platform !== "linux") return isAlive(pid) ? "unknown" : undefined;
  try {
    // The command name may hold spaces and brackets: fields are counted after its closing bracket.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
}

function isStillOurs([pid, startTime]) {
  return startTime !== undefined && startTimeOf(pid) === startTime;
}

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    // It ended between the check and the signal, or the system does not know the signal: SIGKILL is the one needed.
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { pid, gone } = JSON.parse(line);
  if (pid !== undefined) servers.set(pid, startTimeOf(pid));
  if (gone !== undefined) servers.delete(gone);
}
for (const [pid] of [...servers].filter(isStillOurs)) {
  signal(pid, "SIGCONT");
  signal(pid, "SIGKILL");
}
const giveUpAt = performance.now() + DEATH_WAIT_MS;
while ([...servers].some(isStillOurs) && performance.now() < giveUpAt) await sleep(10);
// A dying server may write one more file while the folder is emptied: hence the retries.
if (folder) rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
