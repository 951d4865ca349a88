/** Notices that the process which started this one is gone, by which nobody is left to stop it. */
import { readFileSync } from "node:fs";

const POLL_MS = 500;

/** Calls back once, at most half a second later. Keeps no process alive. */
export function onParentGone(gone) {
  const first = parents();
  const timer = setInterval(() => {
    if (parents() === first) return;
    clearInterval(timer);
    gone();
  }, POLL_MS);
  timer.unref();
}

/**
 * The parent, and where a shell stands between npm and us (`sh -c`, which outlives a killed npm), the shell's parent.
 * Only Linux has such shells and tells about them without a process of its own; other shells make way for what they run.
 */
function parents() {
  const { ppid } = process;
  if (process.platform !== "linux") return String(ppid);
  try {
    const isShell = readFileSync(`/proc/${ppid}/cmdline`, "utf8").split("\0")[1] === "-c";
    if (!isShell) return String(ppid);
    // The command name may hold spaces and brackets: fields are counted after its closing bracket.
    const [, grandparent] = readFileSync(`/proc/${ppid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return `${ppid} of ${grandparent}`;
  } catch {
    return String(ppid);
  }
}
