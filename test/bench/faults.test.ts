import { describe, expect, it } from "vitest";
import { type LoggedCall, summariseCalls } from "../../bench/faults/call-log.js";
import { EndpointWatch } from "../../bench/faults/endpoint-watch.js";
import { FAULTS } from "../../bench/faults/fault-kinds.js";
import { faultTable, faultVerdicts } from "../../bench/faults/fault-report.js";
import { type FaultResult, runFault } from "../../bench/faults/run-fault.js";
import { verdictLine } from "../../bench/report/verdict.js";

const call = (startedAt: number, ms: number, isOk = true): LoggedCall => ({
  startedAt,
  endedAt: startedAt + ms,
  failure: isOk ? null : "UNAVAILABLE RETRIES_EXHAUSTED",
  peer: "a:1",
});
const FAULT = { from: 100, to: 200 };

describe("what calls met in a fault", () => {
  it("counts failures of the whole run, and the times of those calls that began while it lasted", () => {
    const calls = [call(0, 900), call(100, 5), call(150, 250, false), call(199, 8), call(200, 800)];

    expect(summariseCalls(calls, FAULT, 200)).toEqual({
      calls: 5,
      failed: 1,
      failures: { "UNAVAILABLE RETRIES_EXHAUSTED": 1 },
      p99Ms: expect.closeTo(245.16, 1),
      recoveryMs: 800,
    });
  });

  it("ends with the first answer to a call begun after it, and never where none came", () => {
    const calls = [call(190, 11), call(201, 5, false), call(210, 30), call(220, 7)];

    expect(summariseCalls(calls, FAULT, 200).recoveryMs).toBe(27);
    expect(summariseCalls(calls.slice(0, 2), FAULT, 200).recoveryMs).toBeNaN();
  });

  it("includes when the endpoint was found broken, and what went there before and after", () => {
    const watch = new EndpointWatch("a:1");
    const picked = { type: "call.picked", method: "m", attempt: 1 } as const;
    for (const at of [90, 110, 120, 140, 210]) watch.hear({ ...picked, endpoint: "a:1" }, at);
    watch.hear({ ...picked, endpoint: "b:1" }, 125);
    watch.hear({ type: "connection.suspect", endpoint: "b:1", cause: "" }, 105);
    watch.hear({ type: "connection.suspect", endpoint: "a:1", cause: "" }, 130);
    watch.hear({ type: "connection.dead", endpoint: "a:1", callsEnded: 1 }, 135);

    expect(watch.picksIn(FAULT)).toBe(3);
    expect(watch.detectedIn(FAULT)).toBe(130);
    expect(watch.picksIn({ from: 130, to: FAULT.to })).toBe(1);
    expect(new EndpointWatch("b:1").detectedIn(FAULT)).toBeNull();
  });
});

const summary = { calls: 950, failed: 0, failures: {}, p99Ms: 340, recoveryMs: 12, toBroken: 8 };
const result: FaultResult = {
  title: "frozen",
  isTotal: false,
  mostLateMs: 7,
  bare: { ...summary, failed: 140, p99Ms: 2_010, toBroken: 200 },
  ours: { ...summary, detectedMs: 243, afterDetection: 0 },
};

it("names the failures of our calls below the table", () => {
  const failures = { "UNAVAILABLE RETRIES_EXHAUSTED": 3, CANCELLED: 1 };

  const table = faultTable([{ ...result, ours: { ...result.ours, failures } }]);

  expect(table).toContain("failed calls of ours, frozen: 3 UNAVAILABLE RETRIES_EXHAUSTED, 1 CANCELLED\n");
  expect(faultTable([result])).not.toContain("failed calls of ours");
});

describe("targets of faults", () => {
  it("are no failed call, a p99 of twice the attempt's limit, and no attempt at an endpoint known to be broken", () => {
    const broken = { ...result, ours: { ...result.ours, failed: 1, p99Ms: 500, afterDetection: 2 } };

    expect(faultVerdicts(result, FAULTS.frozen.targets).map(({ isMet }) => isMet)).toEqual([
      true,
      true,
      true,
    ]);
    expect(faultVerdicts(broken, FAULTS.frozen.targets).map(verdictLine)).toEqual([
      "  frozen: failed calls of ours 1.00, target at most 0: MISSED",
      "  frozen: p99 ms of ours during the fault 500.00, target below 500: MISSED",
      "  frozen: attempts there once known 2.00, target at most 0: MISSED",
    ]);
  });

  it("are missed where nobody noticed the fault, or nobody recovered", () => {
    const blind = { ...result, ours: { ...result.ours, detectedMs: null, recoveryMs: Number.NaN } };

    expect(faultVerdicts(blind, { afterDetection: 0, recoveryMs: 6_000 }).map(({ isMet }) => isMet)).toEqual([
      false,
      false,
    ]);
  });

  it("stand below a row per fault, where a recovery is told of total outages alone", () => {
    const total = {
      ...result,
      title: "all down",
      isTotal: true,
      bare: { ...result.bare, recoveryMs: Number.NaN },
    };

    const rows = faultTable([result, total]).split("\n").slice(1, 4);

    expect(rows.map((row) => row.trim().split(/ {2,}/).slice(-11))).toEqual([
      [
        "bare: failed",
        "p99 ms",
        "there",
        "back ms",
        "ours: failed",
        "p99 ms",
        "there",
        "known ms",
        "and then",
        "back ms",
        "late ms",
      ],
      ["140", "2010", "200", "-", "0", "340", "8", "243", "0", "-", "7"],
      ["140", "2010", "-", "never", "0", "340", "-", "-", "-", "12", "7"],
    ]);
  });
});

it("drives both clients through a fault, and sees the server come back", async () => {
  const kind = { ...FAULTS.killed, lastsMs: 300 };

  const { bare, ours } = await runFault(kind, { calmMs: 300, idleMs: 0, afterMs: 100 });

  expect(bare.calls).toBe(ours.calls);
  expect(bare.calls).toBeGreaterThanOrEqual(70);
  expect(ours.failed).toBe(0);
  expect(ours.detectedMs).not.toBeNull();
  expect(ours.afterDetection).toBe(0);
}, 30_000);
