import { expect, it } from "vitest";
import {
  exitCodeOf,
  formatReport,
  gapsOf,
  type Outcome,
  type Report,
} from "../../examples/raft-kv/demo/report.js";
import { Tally } from "../../examples/raft-kv/demo/tally.js";
import { ResilienceError } from "../../src/core/index.js";

const proven = {
  ...{ acknowledged: 9, whole: true, faultsLeftOut: [], appends: 4, findings: [] },
  ...{ lost: 0, duplicated: 0, phantom: 0, reordered: 0, foreign: 0, unaudited: 0, unread: 0 },
  linearizable: true,
};
const missed = {
  kind: "kill",
  why: "the cluster was not whole within 20000 ms",
  isByPlatform: false,
} as const;
const unable = { kind: "freeze", why: "this system has no SIGSTOP", isByPlatform: true } as const;

function acknowledgedAt(...instants: number[]): Tally {
  const tally = new Tally();
  for (const at of instants) tally.acknowledge(at - 1, at);
  return tally;
}

const outcomes: readonly [name: string, found: Partial<Outcome>, code: number][] = [
  ["a proof", {}, 0],
  ["a lost append", { lost: 1 }, 1],
  ["an append applied twice", { duplicated: 1 }, 1],
  ["an append that was said not to have run", { phantom: 1 }, 1],
  ["appends out of order", { reordered: 1 }, 1],
  ["text that nobody wrote", { foreign: 1 }, 1],
  ["a history that fits no order", { linearizable: false }, 1],
  ["a check that could not decide", { linearizable: null }, 2],
  ["no key audited", { lost: null, duplicated: null, unaudited: 3 }, 2],
  ["one key not audited", { unaudited: 1 }, 2],
  ["one key not read", { unread: 1 }, 2],
  ["a loss beside a key that was not audited", { lost: 1, unaudited: 1 }, 1],
  ["a loss beside a check that could not decide", { lost: 1, linearizable: null }, 1],
  ["a wrong history beside keys that were not audited", { lost: null, linearizable: false }, 1],
  ["a run in which nothing was acknowledged", { acknowledged: 0 }, 2],
  ["a planned fault that did not happen", { faultsLeftOut: [missed] }, 2],
  ["a fault that the system cannot do", { faultsLeftOut: [unable] }, 0],
  ["a cluster that did not become whole", { whole: false }, 2],
  ["a loss in a cluster that did not become whole", { whole: false, lost: 1 }, 1],
];

it.each(outcomes)("ends %s (%o) with exit code %i", (_name, found, code) => {
  expect(exitCodeOf({ ...proven, ...found })).toBe(code);
});

it("says what was to be tested and was not", () => {
  const gaps = gapsOf({ acknowledged: 0, whole: false, faultsLeftOut: [missed, unable] });

  expect(gaps).toEqual([
    "no operation was acknowledged",
    "planned, but left out: kill",
    "the cluster was not whole at the end",
  ]);
});

it("takes p50 and p99 over the acknowledged operations alone", () => {
  const tally = new Tally();
  for (let ms = 100; ms >= 1; ms -= 1) tally.acknowledge(1_000 - ms, 1_000);
  tally.fail(new Error("slow, but not acknowledged"));

  expect(tally.latency()).toEqual({ p50Ms: 50, p99Ms: 99 });
  expect(new Tally().latency()).toEqual({ p50Ms: 0, p99Ms: 0 });
});

it("takes the recent latency over recent operations", () => {
  const tally = new Tally();
  tally.acknowledge(0, 900);
  tally.acknowledge(998, 1_000);

  expect(tally.latency(1_000)).toEqual({ p50Ms: 2, p99Ms: 2 });
});

it("counts failures by reason, and what is no failure of the Clerk apart", () => {
  const tally = acknowledgedAt(1);
  tally.fail(new ResilienceError({ reason: "NOT_LEADER", code: 14, details: "nobody leads" }));
  tally.fail(new ResilienceError({ reason: "NOT_LEADER", code: 14, details: "nobody leads" }));
  tally.fail(new TypeError("a mistake"));

  expect(tally.failed).toEqual({ NOT_LEADER: 2, UNEXPECTED: 1 });
  expect([tally.operations, tally.acknowledged, tally.failedTotal]).toEqual([4, 1, 3]);
});

it.each([
  ["between two operations", [100, 110, 700, 710, 1_000], 590],
  ["from the fault to the first operation after it", [90, 650, 700, 1_000], 550],
  ["up to the end when no operation came any more", [90, 110, 120], 880],
  ["over the whole window when there was none at all", [90, 1_500], 900],
])("measures the longest unavailability %s", (_name, instants, unavailableMs) => {
  expect(acknowledgedAt(...instants).unavailableMs(100, 1_000)).toBe(unavailableMs);
});

it("does not count what happened outside the window", () => {
  expect(acknowledgedAt(0, 500, 510, 520, 2_000).unavailableMs(500, 520)).toBe(10);
});

function reportOf(found: Partial<Report>): Report {
  return {
    ...proven,
    seed: 4,
    nodes: 3,
    sessions: 8,
    seconds: 30.1,
    heartbeatMs: 60,
    electionTimeoutMs: [500, 1_000],
    operations: 100,
    acknowledged: 97,
    operationsPerSecond: 3,
    failed: { OUTCOME_UNKNOWN: 2, NOT_LEADER: 1 },
    retries: 9,
    probes: 30,
    leaderChanges: 2,
    faults: [{ kind: "kill", atMs: 3_000, endedAtMs: 6_500, unavailableMs: 1_234 }],
    faultsLeftOut: [unable],
    p50Ms: 4.2,
    p99Ms: 900,
    longestUnavailableMs: 1_234,
    keys: 24,
    checkMs: 100,
    ...found,
  };
}

it("says what was lost, what was left out and what could not be decided", () => {
  const found = { lost: 1, duplicated: null, linearizable: null, findings: ["2 key(s) undecided"] };

  const text = formatReport(reportOf(found));

  for (const line of [
    /failed +2 OUTCOME_UNKNOWN, 1 NOT_LEADER/,
    /lost +1 acknowledged append lost/,
    /duplicated +undecided/,
    /linearizable +undecided/,
    /kill +3\.0 +3\.5 +1234/,
    /left out: freeze, because this system has no SIGSTOP/,
    /2 key\(s\) undecided/,
  ])
    expect(text).toMatch(line);
});

it("says that there was nothing to lose in a workload without appends", () => {
  const text = formatReport(reportOf({ appends: 0 }));

  expect(text).toMatch(/lost +no appends in this workload\n/);
  expect(text).toMatch(/duplicated +no appends in this workload\n/);
});

it("counts the losses that are known beside the keys that are not", () => {
  expect(formatReport(reportOf({ lost: 2, unaudited: 1 }))).toMatch(
    /lost +2 acknowledged appends lost, 1 keys unknown/,
  );
});
