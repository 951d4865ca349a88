import { createHash } from "node:crypto";
import type { Random } from "../../src/core/index.js";
import { KvClerk } from "../../src/raft-peer/clerk/kv-clerk.js";
import { FixedServers } from "../../src/raft-peer/clerk/server-discovery.js";
import { type Clerk, clerkOptionsSchema } from "../../src/raft-peer/index.js";
import { auditAppends, checkLinearizable, HistoryRecorder } from "../support/linearizability/index.js";
import { SeededRandom } from "../support/seeded-random.js";
import { SimClock } from "../support/sim-clock.js";
import { KEYS } from "./keys.js";
import { CORRECT, type Rules } from "./rules.js";
import { SimCluster } from "./sim-cluster.js";
import { Weather } from "./weather.js";
import { WORKERS_PER_CLERK, Worker } from "./worker.js";

export interface SimulationOptions {
  readonly seed: number;
  readonly rules?: Rules;
  readonly nodes?: number;
  /** Length of the stormy part. */
  readonly stormMs?: number;
}

export interface SimulationResult {
  readonly seed: number;
  /** What was found to be wrong; empty for a good run. */
  readonly problems: readonly string[];
  readonly operations: number;
  readonly acknowledged: number;
  readonly retries: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly tornTails: number;
  readonly events: number;
  /** Of everything that happened on the network and was told to clients: equal for equal runs. */
  readonly fingerprint: string;
}

const CLERKS = 2;
/** Time to end what runs when the weather is fine again: longer than an operation may take. */
const CALM_MS = 12_000;
const OPERATION_MS = 3_000;
const LEAVING_MS = 20;

/**
 * A cluster of the example's nodes and two Clerks in a world of crashes, torn disks, partitions, delays, losses,
 * reordering and duplicates, all drawn from one seed on a clock of its own.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { seed, rules = CORRECT, nodes = seed % 4 === 0 ? 5 : 3, stormMs = 10_000 } = options;
  const clock = new SimClock();
  const hash = createHash("sha256");
  const stream = (salt: number): Random => new SeededRandom(seed * 1_000 + salt);
  const trace = (line: string): void => {
    hash.update(`${line}\n`);
  };
  const cluster = new SimCluster(nodes, clock, stream(1), rules, trace);
  const problems: string[] = [];
  const recorder = new HistoryRecorder(clock);
  const ids = stream(2);
  const clerks = Array.from({ length: CLERKS }, (_, index) =>
    makeClerk(`clerk-${index}`, cluster, clock, stream(3 + index), rules, ids),
  );
  for (const clerk of clerks) watchTerms(clerk, problems);
  const workers = clerks.flatMap((clerk, index) =>
    Array.from({ length: WORKERS_PER_CLERK }, (_, at) => {
      const session = index * WORKERS_PER_CLERK + at;
      return new Worker(session, clerk, recorder, clock, stream(10 + session));
    }),
  );
  const weather = new Weather(cluster, clock, stream(5));
  weather.start();
  for (const worker of workers) worker.start();
  await clock.run(stormMs);
  weather.clear();
  for (const worker of workers) worker.stop();
  // The second Clerk goes while its users wait.
  const leaving = clerks[1]?.close({ drainMs: LEAVING_MS });
  await clock.run(CALM_MS, () => workers.every(({ isIdle }) => isIdle));
  if (!workers.every(({ isIdle }) => isIdle)) problems.push("an operation did not end in time");
  await check(clerks[0] as Clerk, recorder, clock, problems);
  problems.push(...cluster.witness.violations.slice(0, 3));
  const history = recorder.history();
  for (const { kind, key, value, result, returnedMs } of history)
    trace(`${kind} ${key} ${value} ${result ?? "-"} ${returnedMs ?? "?"}`);
  const summary = {
    seed,
    problems,
    operations: history.length,
    acknowledged: history.filter(({ returnedMs }) => returnedMs !== null).length,
    retries: clerks.reduce((sum, clerk) => sum + clerk.stats().retries, 0),
    faults: weather.counts,
    tornTails: cluster.tornTails,
    events: clock.fired,
  };
  const closing = Promise.all([leaving, ...clerks.map((clerk) => clerk.close({ drainMs: 0 }))]);
  cluster.stop();
  await clock.run(10_000);
  await closing;
  return { ...summary, fingerprint: hash.digest("hex") };
}

function makeClerk(
  name: string,
  cluster: SimCluster,
  clock: SimClock,
  random: Random,
  rules: Rules,
  ids: Random,
): KvClerk {
  const connect = cluster.network.linksFrom(name);
  const newClientId = (): bigint => BigInt(Math.floor(ids.next() * 2 ** 52));
  const options = clerkOptionsSchema.parse({ target: "x", sessions: 2, timeoutMs: OPERATION_MS });
  return new KvClerk(options, {
    clock,
    random,
    newClientId,
    discovery: new FixedServers(cluster.addresses.map((address) => ({ address }))),
    connect: ({ address }) => connect(address, []),
    cache: rules.makeCache(),
    sessions: rules.makeSessions(options.sessions, newClientId),
  });
}

/** A Clerk that has seen a leader of some term never goes back to one of an earlier term. */
function watchTerms(clerk: Clerk, problems: string[]): void {
  let highest = 0;
  clerk.onEvent((event) => {
    if (event.type !== "leader.changed") return;
    if (event.leader.term < highest)
      problems.push(`a Clerk moved back from term ${highest} to the leader of term ${event.leader.term}`);
    highest = Math.max(highest, event.leader.term);
  });
}

async function check(
  clerk: Clerk,
  recorder: HistoryRecorder,
  clock: SimClock,
  problems: string[],
): Promise<void> {
  const final = new Map<string, string | undefined>();
  let pending = 0;
  for (const key of [...KEYS.logs, ...KEYS.registers]) {
    pending += 1;
    const session = 1_000 + pending;
    recorder
      .run(
        { session, kind: "get", key },
        () => clerk.get(key, { timeoutMs: 20_000 }),
        () => "unknown",
      )
      .then((value) => final.set(key, value))
      .catch((error: Error) => problems.push(`the last read of ${key} failed: ${error.message}`))
      .finally(() => {
        pending -= 1;
      });
  }
  await clock.run(21_000, () => pending === 0);
  const report = checkLinearizable(recorder.history(), { clock, maxMs: Number.MAX_SAFE_INTEGER });
  if (report.verdict !== "linearizable") problems.push(`${report.verdict}: ${report.explanation}`);
  const audit = auditAppends(recorder.history(), final, recorder.notRun());
  for (const [name, found] of Object.entries(audit))
    if (found.length > 0) problems.push(`${name}: ${JSON.stringify(found.slice(0, 3))}`);
}
