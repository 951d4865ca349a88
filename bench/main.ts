/**
 * What a unary call costs the client: `npm run bench`, or `node --expose-gc --import tsx bench/main.ts`; with `--clerk`
 * what the Clerk gives in calm and in outages, see `clerk/`. Bare grpc-js
 * against the same stub hardened, and whatever else stands in `stacks/`, in one process and in alternating slices.
 * Absolute times differ from machine to machine; the ratios are what counts, and "itself" says how far to trust them.
 */
import { cpus } from "node:os";
import { runClerkBench } from "./clerk/command.js";
import type { ComparisonResult } from "./measure/compare.js";
import { allocationErrorPercent } from "./measure/meters.js";
import { BadFlag, type BenchOptions, parseOptions, USAGE } from "./options.js";
import { overFake, overSockets } from "./parts.js";
import { table } from "./report/table.js";
import { EchoServers } from "./transport/echo-servers.js";

const LEGEND = `Per call. "added" and "ratio" are to the first row, medians over the rounds; "quartiles" hold the middle half of the
rounds; "itself" is a second client of the same stack against the first, so a ratio that close to 1 means nothing.
CPU is this process's user and system time, garbage collection included; servers are processes of their own. "heap B"
is JavaScript heap allocated, not kept.`;

const SIGNALS = [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args);
    if (options === null) {
      console.log(USAGE);
      return 0;
    }
    silencePlaintextNotice();
    if (options.clerk !== undefined) return await runClerkBench(options.clerk, options.isJson);
    if (globalThis.gc === undefined) throw new BadFlag("node runs without --expose-gc; use: npm run bench");
    await bench(options);
    return 0;
  } catch (error) {
    if (!(error instanceof BadFlag)) throw error;
    console.error(`bench: ${error.message}\n\n${USAGE}`);
    return 2;
  }
}

async function bench(options: BenchOptions): Promise<void> {
  const servers = new EchoServers();
  stopWithUs(servers);
  const startedAt = performance.now();
  const heapErrorPercent = await allocationErrorPercent();
  const about = { node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model ?? "", heapErrorPercent };
  const show = options.isJson ? () => {} : (result: ComparisonResult) => console.log(`${table(result)}\n`);
  if (!options.isJson) {
    console.log(
      `node ${about.node}, ${about.cpus} x ${about.cpu}; heap meter off by ${heapErrorPercent.toFixed(2)} %\n`,
    );
  }
  const results: ComparisonResult[] = [];
  for (const part of options.parts) {
    for await (const result of part === "fake" ? overFake(options) : overSockets(options, servers)) {
      results.push(result);
      show(result);
    }
  }
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  if (options.isJson) console.log(JSON.stringify({ ...about, seconds, results }, null, 2));
  else console.log(`${LEGEND}\n\n${seconds} s`);
}

/** Plaintext is what loopback is; all other warnings still show. */
function silencePlaintextNotice(): void {
  process.removeAllListeners("warning");
  process.on("warning", (warning: Error & { code?: string }) => {
    if (warning.code !== "HOLDFAST_INSECURE") console.error(String(warning));
  });
}

function stopWithUs(servers: EchoServers): void {
  process.once("exit", () => servers.stop());
  for (const [signal, code] of SIGNALS) process.once(signal, () => process.exit(code));
}
