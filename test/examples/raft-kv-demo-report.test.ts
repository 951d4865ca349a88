import { expect, it } from "vitest";
import { exitCodeOf, formatReport, type Report, type Verdict } from "../../examples/raft-kv/demo/report.js";
import { Tally } from "../../examples/raft-kv/demo/tally.js";
import { ResilienceError } from "../../src/core/index.js";

const proven: Verdict = { lost: 0, duplicated: 0, linearizable: true, findings: [] };

function acknowledgedAt(...instants: number[]): Tally {
  const tally = new Tally();
  for (const at of instants) tally.acknowledge(at - 1, at);
  return tally;
}

it.each([
  ["a proof", {}, 0],
  ["a lost append", { lost: 1 }, 1],
  ["an append applied twice", { duplicated: 1 }, 1],
  ["a history that fits no order", { linearizable: false }, 1],
  ["a check that could not decide", { linearizable: null }, 2],
  ["final values that could not be read", { lost: null, duplicated: null }, 2],
  ["a loss beside a check that could not decide", { lost: 1, linearizable: null }, 1],
  ["a wrong history beside final values that could not be read", { lost: null, linearizable: false }, 1],
] as const)("ends %s (%o) with exit code %i", (_name, found, code) => {
  expect(exitCodeOf({ ...proven, ...found })).toBe(code);
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

it("says what was lost, what was left out and what could not be decided", () => {
  const report: Report = {
    ...proven,
    lost: 1,
    duplicated: null,
    linearizable: null,
    findings: ["2 key(s) undecided"],
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
    faultsLeftOut: [{ kind: "freeze", why: "this system has no SIGSTOP" }],
    p50Ms: 4.2,
    p99Ms: 900,
    longestUnavailableMs: 1_234,
    keys: 24,
    checkMs: 100,
  };

  const text = formatReport(report);

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
