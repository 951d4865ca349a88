import { expect, it } from "vitest";
import { demoView } from "../../examples/raft-kv/demo/live-view.js";
import type { Progress } from "../../examples/raft-kv/demo/run.js";
import { Tally } from "../../examples/raft-kv/demo/tally.js";
import { Timeline } from "../../examples/shared/timeline.js";
import type { Clerk, ClerkStats, EndpointStats } from "../../src/index.js";

const NODES = 7;
/** Longer than any line may be: the widest states there are. */
const WORST = { state: "TRANSIENT_FAILURE", isSuspect: true, breaker: "half-open" } as const;
const REST = {
  priority: 0,
  weight: 1,
  connections: 1,
  health: null,
  isEjected: false,
  isIsolated: false,
  picks: 0,
  latencyMs: null,
};

function endpoint(node: number): EndpointStats {
  return { address: `a:${node}`, callsInFlight: 0, retryInMs: null, lastError: null, ...REST, ...WORST };
}

/** Ten seconds into a run of 20, with an outage from 4 s to 6 s. */
function progress(entries = 0): Progress {
  const stats = { leader: { term: 5, address: "a:1" }, retries: 12 };
  const servers = Array.from({ length: NODES }, (_, node) => endpoint(node));
  const tally = new Tally();
  for (let at = 0; at < 10_000; at += 20) if (at < 4_000 || at >= 6_000) tally.acknowledge(at - 3, at);
  const timeline = new Timeline();
  for (let entry = 1; entry <= entries; entry += 1) timeline.note(`entry ${entry}`);
  const nodes = servers.map(({ address }, node) => ({
    ...{ name: `node-${node + 1}`, address, state: node === 1 ? ("frozen" as const) : ("running" as const) },
    isCutOff: node === 2,
  }));
  return {
    title: "7 nodes, 64 sessions, seed 2147483647",
    seconds: 20,
    cluster: {
      nodes,
      clerk: { stats: () => ({ ...stats, servers }) as Partial<ClerkStats> } as Clerk,
      nameOf: (address) => nodes.find((node) => node.address === address)!.name,
    },
    timeline,
    tally,
    faultLog: {
      faults: [{ kind: "kill", atMs: 4_000, endedAtMs: 6_000 }],
      leftOut: [],
      current: { kind: "partition", atMs: 9_000 },
    },
    nowMs: () => 10_000,
  };
}

it.each([
  { columns: 80, rows: 24 },
  { columns: 120, rows: 40 },
])("fits $columns columns and $rows rows with the newest entries below", (size) => {
  const lines = demoView(progress(60), false).screen(size);

  expect(lines).toHaveLength(size.rows - 1);
  expect(lines.at(-1)).toContain("entry 60");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(size.columns);
});

it("shows rate, faults and progress on one scale", () => {
  const lines = demoView(progress(), false).screen({ columns: 80, rows: 24 });

  const body = (name: string) => lines.find((line) => line.startsWith(name))!.slice(10);
  expect(lines[0]).toContain("K kill F freeze P partition");
  // 50 columns for 20 s: 0.4 s each.
  expect(body("progress")).toMatch(/^━{25}─{25} 10\.0 s of 20 s$/);
  expect(body("rate")).toMatch(/^█{10}·{5}█{10} {25} top 50\/s$/);
  expect(body("faults")).toMatch(/^ {10}K-{5} {6}P-{3} +$/);
});

it("shows leader, nodes, connections, breakers and numbers, coloured or in plain lines", () => {
  const plain = demoView(progress(), false).lines().join("\n");
  const coloured = demoView(progress(), true).screen({ columns: 120, rows: 40 }).join("\n");

  for (const text of [
    "node-2, term 5",
    "node-2 frozen leader TRANSIENT_FAILURE suspect, breaker half-open",
    "node-3 cut off ",
    "50/s, p50 3 ms, p99 3 ms",
    "400 acknowledged, 0 failed, 12 retries",
  ])
    expect(plain).toContain(text);
  expect(plain).not.toContain("\x1b");
  expect(coloured).toContain("\x1b[31mfrozen");
});
