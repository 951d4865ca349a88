import { describe, expect, it } from "vitest";
import type { ChangesResult } from "../../bench/discovery-load/changes.js";
import { EndpointLog } from "../../bench/discovery-load/endpoint-log.js";
import { OUTAGES } from "../../bench/discovery-load/outage-kinds.js";
import { type OutageResult, runOutage } from "../../bench/discovery-load/outages.js";
import {
  changesTable,
  changesVerdicts,
  outagesTable,
  outageVerdicts,
} from "../../bench/discovery-load/report.js";
import { verdictLine } from "../../bench/report/verdict.js";
import { mustSkipConsul, whyNoConsul } from "../support/consul-agent.js";

const endpoints = (added: string[], removed: string[] = []) =>
  ({ type: "resolver.endpoints", added, removed, total: 1 }) as const;
const picked = (endpoint: string) => ({ type: "call.picked", method: "m", attempt: 1, endpoint }) as const;

describe("what a client does with an endpoint", () => {
  it("is told from the first attempt to those after its removal", () => {
    const log = new EndpointLog();

    log.hear(endpoints(["a:1", "b:1"]), 10);
    log.hear(picked("a:1"), 20);
    log.hear(picked("a:1"), 30);
    log.hear(endpoints([], ["a:1"]), 40);
    log.hear(picked("a:1"), 50);

    expect(log.use("a:1")).toEqual({
      addedAt: 10,
      usedAt: 20,
      removedAt: 40,
      picks: 2,
      picksAfterRemoval: 1,
    });
    expect(log.use("b:1")).toMatchObject({ usedAt: null, removedAt: null, picks: 0 });
  });

  it("is waited for", async () => {
    const log = new EndpointLog();
    const order: string[] = [];
    const used = log.used(["a:1", "b:1"]).then(() => order.push("used"));
    const removed = log.removed(["a:1"]).then(() => order.push("removed"));

    log.hear(endpoints(["a:1", "b:1"]));
    log.hear(picked("a:1"));
    await removed;
    log.hear(picked("b:1"));
    await used;

    expect(order).toEqual(["removed", "used"]);
  });
});

const changes: ChangesResult = {
  changes: [
    { title: "3 to 9", calls: 500, failed: 0, joined: 6, usedMs: 53, left: 0, goneMs: null },
    { title: "9 to 2", calls: 600, failed: 0, joined: 0, usedMs: null, left: 7, goneMs: 506 },
  ],
  calls: 1_100,
  failed: 0,
  failures: {},
  p99Ms: 21,
  recoveryMs: 3,
  strayCalls: 0,
  untaggedCalls: 0,
  weightRatio: 7.96,
  held: 1,
  questionsPerSecond: 0.74,
  questionsFailed: 0,
  seconds: 38,
  mostLateMs: 9,
};

describe("targets of changes", () => {
  it("are no failed call, and a second from Consul's answer to the first call", () => {
    expect(changesVerdicts(changes).map(verdictLine)).toEqual([
      "  failed calls 0.00, target at most 0: met",
      "  ms from Consul's answer to the first call 53.00, target at most 1000: met",
      "  ms from Consul's answer to the end of use 506.00, target at most 1000: met",
      "  calls at removed servers 0.00, target at most 0: met",
      "  calls at servers of another tag 0.00, target at most 0: met",
      "  calls of weight 8 to those of weight 1 7.96, target at least 7: met",
      "  questions to Consul per second 0.74, target at most 1: met",
    ]);
  });

  it("are missed where something was not measured", () => {
    const unseen = [
      { title: "3 to 9", calls: 5, failed: 0, joined: 6, usedMs: Number.NaN, left: 1, goneMs: 5 },
    ];

    const verdicts = changesVerdicts({ ...changes, changes: unseen, weightRatio: Number.NaN });

    expect(verdicts.filter(({ isMet }) => !isMet).map(({ measure }) => measure)).toEqual([
      "ms from Consul's answer to the first call",
      "calls of weight 8 to those of weight 1",
    ]);
  });

  it("stand below a row per change, and what failed", () => {
    const table = changesTable({ ...changes, failures: { "UNAVAILABLE CONNECTION_LOST": 2 } }).split("\n");

    expect(table.slice(2, 5).map((row) => row.trim().split(/ {2,}/))).toEqual([
      ["3 to 9", "500", "0", "6", "53", "0", "-"],
      ["9 to 2", "600", "0", "0", "-", "7", "506"],
      ["failed calls: 2 UNAVAILABLE CONNECTION_LOST"],
    ]);
  });
});

const outage: OutageResult = {
  title: "frozen",
  seconds: 30,
  calls: 6_000,
  failed: 0,
  failures: {},
  staleMs: null,
  questions: 2,
  backMs: Number.NaN,
  usedMs: 16,
  mostLateMs: 9,
};

it("a Consul that is not heard again misses its target, and a row says never", () => {
  expect(outageVerdicts(outage).map(({ isMet }) => isMet)).toEqual([true, true, false, true]);
  expect(outagesTable([outage])).toMatch(/^frozen +30\.0 +6000 +0 +- +2 +never +16 +9$/m);
});

it.skipIf(mustSkipConsul)(
  `drives a client through an outage, and sees Consul and its servers come back${whyNoConsul}`,
  async () => {
    // Quiet for longer than the pause between two questions: one is out when Consul dies.
    const result = await runOutage({ ...OUTAGES.killed, lastsMs: 200 }, 1_500);

    expect(result).toMatchObject({ title: "killed, back empty", failed: 0, failures: {} });
    expect(result.calls).toBeGreaterThan(100);
    expect(result.staleMs).not.toBeNull();
    expect(result.backMs).toBeGreaterThan(0);
    expect(result.usedMs).toBeGreaterThanOrEqual(0);
  },
  60_000,
);
