/**
 * What calls cost the client: `npm run bench`, or `node --expose-gc --import tsx bench/main.ts`; with `--pool` what the
 * connection pool costs and gives, see `pool/`; with `--faults` what happens to calls while servers and networks break,
 * see `faults/`; with `--consul` what a client does that follows a real Consul, see `discovery-load/`; with
 * `--discovery` what answers of 10,000 endpoints cost, see `discovery/`; with `--clerk` what the
 * Clerk gives in calm and in outages, see `clerk/`. Bare grpc-js against the same stub hardened, and whatever else stands in
 * `stacks/`, in one process and in alternating slices; then what calls hold, and what an outage adds.
 * Absolute times differ from machine to machine; the ratios are what counts, and "itself" says how far to trust them.
 */
import { cpus, loadavg } from "node:os";
import { runClerkBench } from "./clerk/command.js";
import { ofAnswers } from "./discovery/answers.js";
import { ofChanges, ofConsulOutages } from "./discovery-load/through-consul.js";
import { throughFaults } from "./faults/faults.js";
import { allocationErrorPercent } from "./measure/meters.js";
import { BadFlag, type BenchOptions, type Part, parseOptions, USAGE } from "./options.js";
import { overFake, overSockets, overStreams } from "./parts/calls.js";
import { ofMemory } from "./parts/memory.js";
import { throughOutage } from "./parts/outage.js";
import { ofLargeMessages } from "./pool/large-messages.js";
import { ofPicks } from "./pool/picks.js";
import { ofSlowServer } from "./pool/slow-server.js";
import { ofStreamLimit } from "./pool/stream-limit.js";
import { ofUpdates } from "./pool/updates.js";
import { type Section, sectionText, summary } from "./report/section.js";
import { ServerProcesses } from "./transport/server-processes.js";

const LEGEND = `Per call or message: "added" and "ratio" are to the first row, medians over the rounds; "quartiles" hold the middle half
of the rounds; "itself" is a second client of the same stack against the first, so a ratio that close to 1 means nothing.
CPU is this process's user and system time, garbage collection included; servers are processes of their own. "heap B"
is JavaScript heap allocated, not kept. Stacks that cannot balance use three clients in turn.`;

/** The parts with tables of stacks, which the legend explains. */
const COMPARED: ReadonlySet<Part> = new Set(["fake", "sockets", "streams", "window"]);

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
    silenceExpectedWarnings();
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
  const servers = new ServerProcesses();
  stopWithUs(servers);
  const startedAt = performance.now();
  const heapErrorPercent = await allocationErrorPercent();
  const load = loadavg().map((average) => Math.round(average * 100) / 100);
  const about = { node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model ?? "", loadBefore: load };
  const show = (text: string): void => (options.isJson ? undefined : console.log(`${text}\n`));
  show(
    `node ${about.node}, ${about.cpus} x ${about.cpu}; load average ${load.join(", ")}; heap meter off by ${heapErrorPercent.toFixed(2)} %`,
  );
  const sections: Section[] = [];
  for (const part of options.parts) {
    for await (const section of run(part, options, servers)) {
      sections.push(section);
      show(sectionText(section));
    }
  }
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  if (options.isJson) {
    const results = sections.map(({ part, data, verdicts }) => ({ part, ...data, verdicts }));
    console.log(JSON.stringify({ ...about, heapErrorPercent, seconds, results }, null, 2));
  } else {
    if (sections.some(({ part }) => COMPARED.has(part))) show(LEGEND);
    console.log(`${summary(sections)}\n${seconds} s`);
  }
}

function run(part: Part, options: BenchOptions, servers: ServerProcesses): AsyncGenerator<Section> {
  switch (part) {
    case "fake":
      return overFake(options);
    case "sockets":
      return overSockets(options, servers);
    case "streams":
      return overStreams(options, servers);
    case "memory":
      return ofMemory();
    case "outage":
      return throughOutage();
    case "picks":
      return ofPicks();
    case "update":
      return ofUpdates();
    case "slow":
      return ofSlowServer();
    case "limit":
      return ofStreamLimit();
    case "window":
      return ofLargeMessages(servers);
    case "answers":
      return ofAnswers();
    case "faults":
      return throughFaults(options.faults);
    case "changes":
      return ofChanges();
    case "away":
      return ofConsulOutages();
  }
}

/** Plaintext is what loopback is, and cockatiel hangs every call in flight on one signal; all other warnings still show. */
function silenceExpectedWarnings(): void {
  process.removeAllListeners("warning");
  process.on("warning", (warning: Error & { code?: string }) => {
    const isCockatiels =
      warning.name === "MaxListenersExceededWarning" && warning.stack?.includes("/cockatiel/") === true;
    if (warning.code !== "HOLDFAST_INSECURE" && !isCockatiels) console.error(String(warning));
  });
}

function stopWithUs(servers: ServerProcesses): void {
  process.once("exit", () => servers.stop());
  for (const [signal, code] of SIGNALS) process.once(signal, () => process.exit(code));
}
