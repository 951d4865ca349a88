import { fileURLToPath } from "node:url";
import { FrozenProcess } from "../../test/support/frozen-process.js";

/** What a server is told as it starts. */
export interface TimedServerOptions {
  readonly port?: number;
  readonly delayMs: number;
  /** In place of `delayMs` while it is slow, which SIGUSR2 begins and ends. */
  readonly slowMs?: number;
  /** Of each connection; no limit by default. */
  readonly maxStreams?: number;
  /** Length of its answers; no more than its port takes by default. */
  readonly answerBytes?: number;
}

const SCRIPT = fileURLToPath(new URL("timed-server.mjs", import.meta.url));

/** A server that takes its time, and that can be killed and frozen; it goes when this process does. */
export function startTimed(options: TimedServerOptions): Promise<FrozenProcess> {
  return FrozenProcess.start({ script: SCRIPT, args: [JSON.stringify(options)] });
}

/** Servers for as long as `use` takes: whatever happens, they are gone afterwards. */
export async function withTimed<T>(
  all: readonly TimedServerOptions[],
  use: (servers: readonly FrozenProcess[]) => Promise<T>,
): Promise<T> {
  const started = await Promise.allSettled(all.map(startTimed));
  const servers = started.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  try {
    const failed = started.find((each) => each.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    return await use(servers);
  } finally {
    await Promise.all(servers.map((server) => server.close()));
  }
}
