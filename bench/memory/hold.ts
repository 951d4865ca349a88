/**
 * Run by `measure-held.ts` in a process of its own: puts calls of 1 MiB in flight towards a server that reads nothing, and
 * prints what holding them takes, as JSON.
 */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { ServerProcesses } from "../transport/server-processes.js";
import { HELD_CLIENTS, type HeldClient, type HeldClientName } from "./clients.js";
import { MESSAGE_BYTES } from "./held-stub.js";
import { countLargeBuffers } from "./large-buffers.js";
import type { Held } from "./measure-held.js";

const OPEN_WITHIN_MS = 15_000;
/** The memory is settled when it reads the same so often. */
const EQUAL_READINGS = 5;
const READING_EVERY_MS = 20;

const [name = "", calls = ""] = process.argv.slice(2);
console.log(JSON.stringify(await hold(name as HeldClientName, Number(calls))));
// The calls are still running, and their clients would wait for them.
process.exit(0);

async function hold(client: HeldClientName, calls: number): Promise<Held> {
  const servers = new ServerProcesses();
  process.once("exit", () => servers.stop());
  const [server] = await servers.start("unread-server.mjs", 1, String(calls));
  if (server === undefined) throw new Error("no server was started");
  const opened = once(server.output, "line", { signal: AbortSignal.timeout(OPEN_WITHIN_MS) });
  const held = HELD_CLIENTS[client](server.address);
  const before = await settledMemory();
  for (let made = 0; made < calls; made++) held.put(made % 256, failed);
  await opened;
  const after = await settledMemory();
  return {
    client,
    calls,
    ...difference(before, after, held),
    largeBuffers: await countLargeBuffers(MESSAGE_BYTES),
  };
}

function difference(before: NodeJS.MemoryUsage, after: NodeJS.MemoryUsage, held: HeldClient) {
  return {
    bufferBytes: after.arrayBuffers - before.arrayBuffers,
    heapBytes: after.heapUsed - before.heapUsed,
    retryBufferBytes: held.retryBufferBytes(),
  };
}

/** A call that ends was not held. */
function failed(error: Error | null): void {
  throw new Error("a call ended while it should be held", { cause: error });
}

/** After everything that is no longer held is gone, and whatever was on its way has arrived. */
async function settledMemory(): Promise<NodeJS.MemoryUsage> {
  let reading = read();
  for (let equal = 0; equal < EQUAL_READINGS; ) {
    await sleep(READING_EVERY_MS);
    const next = read();
    equal = next.arrayBuffers === reading.arrayBuffers ? equal + 1 : 0;
    reading = next;
  }
  return reading;
}

function read(): NodeJS.MemoryUsage {
  globalThis.gc?.();
  return process.memoryUsage();
}
