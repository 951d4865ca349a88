/**
 * What a unary call costs the client: `npm run bench`, or `node --expose-gc --import tsx bench/main.ts`. Bare grpc-js
 * against the same stub hardened, and whatever else stands in `stacks/`, in one process and in alternating slices.
 * Absolute times differ from machine to machine; the ratios are what counts, and "itself" says how far to trust them.
 */
import { cpus } from "node:os";
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

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args);
    if (options === null) {
      console.log(USAGE);
      return 0;
    }
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
  // Our own notice about plaintext, which is what loopback is.
  process.removeAllListeners("warning");
  const servers = new EchoServers();
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    process.once(signal, () => {
      servers.stop();
      process.exit(code);
    });
  }
  process.once("exit", () => servers.stop());
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
    const found = part === "fake" ? await overFake(options) : await overSockets(options, servers);
    found.forEach(show);
    results.push(...found);
  }
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  if (options.isJson) console.log(JSON.stringify({ ...about, seconds, results }, null, 2));
  else console.log(`${LEGEND}\n${seconds} s`);
}
