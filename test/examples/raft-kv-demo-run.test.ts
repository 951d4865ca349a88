import { expect, it } from "vitest";
import { exitCodeOf } from "../../examples/raft-kv/demo/report.js";
import { type Progress, type RunCluster, runOn } from "../../examples/raft-kv/demo/run.js";
import { readWorkload } from "../../examples/raft-kv/demo/workload.js";
import type { Clerk, ClerkEvent, ClerkStats } from "../../src/index.js";

const never = new AbortController().signal;
const workload = { ...readWorkload("examples/raft-kv/workload.json"), thinkMs: 1 };

/** A Clerk over a map, which counts one retry per operation; `emit` tells its listeners of an event. */
function ownClerk() {
  const values = new Map<string, string>();
  const listeners = new Set<(event: ClerkEvent) => void>();
  let retries = 0;
  const counted = async <T>(act: () => T): Promise<T> => {
    retries += 1;
    return act();
  };
  const clerk = {
    get: (key: string) => counted(() => values.get(key)),
    put: (key: string, value: string) => counted(() => void values.set(key, value)),
    append: (key: string, value: string) =>
      counted(() => void values.set(key, (values.get(key) ?? "") + value)),
    stats: () => ({ retries, probes: 2, leader: null, servers: [] }) as Partial<ClerkStats>,
    onEvent: (listener: (event: ClerkEvent) => void) => {
      listeners.add(listener);
      const dispose = () => void listeners.delete(listener);
      return { dispose, [Symbol.dispose]: dispose };
    },
  };
  const emit = (address: string, term: number) => {
    for (const listener of listeners)
      listener({ type: "leader.changed", leader: { address, term }, previous: null } as ClerkEvent);
  };
  return { clerk: clerk as unknown as Clerk, emit };
}

function cluster(clerk: Clerk, parts: Partial<RunCluster> = {}): RunCluster {
  return {
    clerk,
    nodes: [],
    nameOf: (address) => address,
    whole: async () => 0,
    kill: async () => {},
    restart: () => {},
    freeze: () => {},
    thaw: () => {},
    cutOff: async () => {},
    heal: async () => {},
    ...parts,
  };
}

const options = { seed: 1, nodes: 3, sessions: 2, workload, hasFaults: false, signal: never };

it("proves a run in which all went well", async () => {
  const report = await runOn(cluster(ownClerk().clerk), { ...options, seconds: 0.1 });

  expect(report).toMatchObject({ lost: 0, duplicated: 0, linearizable: true, whole: true, findings: [] });
  expect(report.acknowledged).toBeGreaterThan(0);
  expect(exitCodeOf(report)).toBe(0);
});

it("takes retries and operations at one moment, before the reads of the check", async () => {
  const report = await runOn(cluster(ownClerk().clerk), { ...options, seconds: 0.1 });

  expect(report.retries).toBe(report.operations);
});

it("does not call a cluster proven that is not whole at the end", async () => {
  const report = await runOn(cluster(ownClerk().clerk, { whole: async () => undefined }), {
    ...options,
    seconds: 0.1,
  });

  expect(report).toMatchObject({ whole: false, lost: 0, linearizable: true });
  expect(report.findings).toEqual(["the cluster was not whole at the end"]);
  expect(exitCodeOf(report)).toBe(2);
});

it("still checks what it has when a node ends by itself, and says which faults were left out", async () => {
  const ended = new Error("node-1 ended by itself:\nits log");
  const broken = cluster(ownClerk().clerk, { whole: () => Promise.reject(ended) });

  const report = await runOn(broken, { ...options, hasFaults: true, seconds: 0.1 });

  expect(report).toMatchObject({ whole: false, lost: 0, linearizable: true, faults: [] });
  expect(report.faultsLeftOut).toHaveLength(3);
  expect(report.faultsLeftOut[0]).toMatchObject({ why: "node-1 ended by itself", isByPlatform: false });
  expect(report.findings.at(-1)).toBe(ended.message);
  expect(exitCodeOf(report)).toBe(2);
});

it("counts a change of leader only when another node leads than before", async () => {
  const { clerk, emit } = ownClerk();
  const news: string[] = [];
  const found = [
    ["a", 1],
    ["a", 1],
    ["b", 2],
    ["b", 3],
    ["a", 4],
  ] as const;
  const onStart = ({ timeline }: Progress) => {
    for (const [address, term] of found) emit(address, term);
    news.push(...timeline.entries.map(({ text }) => text));
    return { entry: () => {}, end: () => {} };
  };

  const report = await runOn(cluster(clerk), { ...options, seconds: 0.1, onStart });

  expect(report.leaderChanges).toBe(2);
  expect(news).toEqual(["a leads in term 1", "b leads in term 2", "b leads in term 3", "a leads in term 4"]);
});

it("stops at once when sessions rest for a minute", async () => {
  const stop = new AbortController();
  const rests = { ...workload, thinkMs: 60_000 };
  const running = runOn(cluster(ownClerk().clerk), {
    ...options,
    workload: rests,
    seconds: 60,
    signal: stop.signal,
  });

  stop.abort("Ctrl-C");

  await expect(running).rejects.toMatchObject({ name: "AbortError" });
});
