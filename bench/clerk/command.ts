import { cpus, loadavg } from "node:os";
import { stopOnSignals } from "../../examples/shared/stop-signal.js";
import { benchClerk, type ClerkBenchOptions } from "./run.js";

const LEGEND = `"plain" is eraft's own client on bare grpc-js stubs: after an error the next server, after 10 ms. Three nodes in processes
of their own, on loopback; a proxy in this process on every link is part of all absolute numbers. "ratio" is to the plain
client, slice by slice. Outages: both clients write at the same time, with as many workers. "worker ms" is from the new
leader's election, polled from the nodes themselves, to a worker's first acknowledged write after it; commands and probes
(together: requests) are those handed to the channels between the fault and the election. All as median (min..max) over
the outages.`;

/** `npm run bench -- --clerk`. @returns the exit code; a missed target is a number like any other */
export async function runClerkBench(options: ClerkBenchOptions, isJson: boolean): Promise<number> {
  const signal = stopOnSignals();
  const startedAtMs = performance.now();
  const loadBefore = loadavg().map((load) => Math.round(load * 100) / 100);
  const about = { node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model ?? "", loadBefore };
  const show = (text: string): void => (isJson ? undefined : console.log(`${text}\n`));
  const note = (line: string): void => console.error(`bench: ${line}`);
  show(`node ${about.node}, ${about.cpus} x ${about.cpu}; load average ${loadBefore.join(", ")}`);
  try {
    const result = await benchClerk(options, { show, note }, signal);
    const seconds = Math.round((performance.now() - startedAtMs) / 1_000);
    if (isJson) console.log(JSON.stringify({ ...about, seconds, ...result }, null, 2));
    else console.log(`${LEGEND}\n\n${seconds} s`);
    return 0;
  } catch (error) {
    if (!signal.aborted) throw error;
    note("stopped before the end; the nodes are gone");
    return Number(signal.reason);
  }
}
