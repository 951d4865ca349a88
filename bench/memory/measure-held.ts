import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { HeldClientName } from "./clients.js";

/** What so many calls of 1 MiB in flight hold. */
export interface Held {
  readonly client: HeldClientName;
  readonly calls: number;
  /** Growth of all ArrayBuffers of the process, pools included. */
  readonly bufferBytes: number;
  readonly heapBytes: number;
  /** Of `bufferBytes`, what the client keeps for retries on purpose. */
  readonly retryBufferBytes: number | null;
  /** Buffers of a message or more, by heap snapshot: a message held twice counts as two. */
  readonly largeBuffers: number;
}

const SCRIPT = fileURLToPath(new URL("hold.ts", import.meta.url));
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const WITHIN_MS = 60_000;

/** In a process of its own, so that nothing else is in its memory. @throws Error with what that process said, if it fails */
export async function measureHeld(client: HeldClientName, calls: number): Promise<Held> {
  const args = ["--expose-gc", "--import", "tsx", SCRIPT, client, String(calls)];
  const options = { cwd: ROOT, timeout: WITHIN_MS, killSignal: "SIGKILL" } as const;
  const { stdout } = await promisify(execFile)(process.execPath, args, options);
  return JSON.parse(stdout) as Held;
}
