import { afterEach, expect, it, vi } from "vitest";
import { type PlannedFault, planFaults } from "../../examples/raft-kv/demo/fault-plan.js";
import { type FaultLog, type FaultTarget, runFaults } from "../../examples/raft-kv/demo/faults.js";
import { Timeline } from "../../examples/shared/timeline.js";
import { SeededRandom } from "../support/seeded-random.js";

const never = new AbortController().signal;

afterEach(() => vi.unstubAllGlobals());

/** A cluster that writes down what is done to it; `leaders` are the answers to `whole`. */
class NotedCluster implements FaultTarget {
  readonly done: string[] = [];
  readonly nodes = [{ name: "node-1" }, { name: "node-2" }, { name: "node-3" }];
  readonly #leaders: (number | undefined)[];

  constructor(...leaders: (number | undefined)[]) {
    this.#leaders = leaders;
  }

  async whole(): Promise<number | undefined> {
    this.done.push("whole?");
    return this.#leaders.shift();
  }

  kill = async (node: number) => void this.done.push(`kill ${node}`);
  restart = (node: number) => void this.done.push(`restart ${node}`);
  freeze = (node: number) => void this.done.push(`freeze ${node}`);
  thaw = (node: number) => void this.done.push(`thaw ${node}`);
  cutOff = async (node: number, fromClientToo: boolean) =>
    void this.done.push(`cut off ${node}${fromClientToo ? " client" : ""}`);
  heal = async () => void this.done.push("heal");
}

function fault(kind: PlannedFault["kind"], cutsClient = false): PlannedFault {
  return { kind, atMs: 0, lastsMs: 1, cutsClient };
}

async function run(cluster: NotedCluster, plan: readonly PlannedFault[]): Promise<FaultLog> {
  const log: FaultLog = { faults: [], leftOut: [], current: undefined };
  await runFaults(cluster, plan, log, new Timeline(), never);
  return log;
}

it.each(Array.from({ length: 50 }, (_, seed) => seed))(
  "plans a kill, a freeze and a partition with seed %i",
  (seed) => {
    const plan = planFaults(30, new SeededRandom(seed));

    expect(
      plan
        .slice(0, 3)
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual(["freeze", "kill", "partition"]);
    for (const [index, { atMs, lastsMs }] of plan.entries()) {
      expect(lastsMs).toBeGreaterThanOrEqual(1_200);
      // What is left of its room is for the cluster to recover in.
      expect(atMs + lastsMs).toBeLessThan((plan[index + 1]?.atMs ?? 30_000) - 2_000);
    }
  },
);

it("plans the same for the same seed, and other orders, times and cuts for others", () => {
  const plan = (seed: number) => planFaults(30, new SeededRandom(seed));

  expect(plan(5)).toEqual(plan(5));
  expect(new Set([1, 2, 3, 4, 5, 6, 7, 8].map((seed) => plan(seed)[0]!.kind)).size).toBeGreaterThan(1);
  const cuts = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => plan(seed).find((each) => each.kind === "partition")!);
  expect(new Set(cuts.map(({ cutsClient }) => cutsClient)).size).toBe(2);
});

it("plans more faults for a longer run, and all three kinds for the shortest", () => {
  expect(planFaults(120, new SeededRandom(1))).toHaveLength(13);
  expect(planFaults(5, new SeededRandom(1))).toHaveLength(3);
});

it("hurts whoever leads, each time once the cluster is whole again", async () => {
  const cluster = new NotedCluster(0, 2, 1, 0);

  const log = await run(cluster, [fault("kill"), fault("freeze"), fault("partition", true)]);

  expect(cluster.done).toEqual([
    ...["whole?", "kill 0", "restart 0"],
    ...["whole?", "freeze 2", "thaw 2"],
    ...["whole?", "cut off 1 client", "heal"],
    "whole?",
  ]);
  expect(log.faults.map(({ kind }) => kind)).toEqual(["kill", "freeze", "partition"]);
});

it("leaves a fault out, and says why, when the cluster does not become whole in time", async () => {
  const cluster = new NotedCluster(undefined, 1, 1);

  const log = await run(cluster, [fault("kill"), fault("partition")]);

  expect(log.leftOut).toEqual([
    { kind: "kill", why: "the cluster was not whole within 20000 ms", isByPlatform: false },
  ]);
  expect(cluster.done).toEqual(["whole?", "whole?", "cut off 1", "heal", "whole?"]);
});

it("leaves the freeze out where no process can be stopped, and does the rest", async () => {
  vi.stubGlobal("process", Object.create(process, { platform: { value: "win32" } }));
  const cluster = new NotedCluster(0, 0, 0);

  const log = await run(cluster, [fault("freeze"), fault("kill")]);

  expect(log.leftOut).toEqual([{ kind: "freeze", why: "this system has no SIGSTOP", isByPlatform: true }]);
  expect(log.faults.map(({ kind }) => kind)).toEqual(["kill"]);
});
