import { describe, expect, it } from "vitest";
import type { Outage } from "../../bench/clerk/outages.js";
import { outageTable } from "../../bench/clerk/tables.js";
import { summariseOutages, totalRequests } from "../../bench/clerk/verdicts.js";

function outage(kind: Outage["kind"], clerk: Outage["clerk"], plain: Outage["plain"]): Outage {
  return { kind, electionMs: 600, errorMs: 6, clerk, plain };
}

function client(medianMs: number, worstMs = medianMs, requests = 0): Outage["clerk"] {
  const probes = Math.floor(requests / 2);
  return { medianMs, worstMs, commands: requests - probes, probes };
}

function isMet(outages: readonly Outage[]): boolean[] {
  return summariseOutages(outages)[0]!.verdicts.map((verdict) => verdict.isMet);
}

describe("after a freeze or a partition", () => {
  it("meets the target with half of the plain client's time, and misses it with more", () => {
    expect(isMet([outage("freeze", client(200, 200, 10), client(400, 400, 100))])).toEqual([
      true,
      true,
      true,
    ]);
    expect(isMet([outage("partition", client(201, 201, 11), client(400, 400, 100))])).toEqual([
      false,
      false,
      false,
    ]);
  });

  it("judges the slowest worker apart from the median one", () => {
    const outages = [outage("freeze", client(100, 300, 1), client(400, 400, 10))];

    expect(isMet(outages)).toEqual([true, false, true]);
  });
});

describe("after a kill", () => {
  it("allows one probe interval more than the plain client takes", () => {
    expect(isMet([outage("kill", client(250, 270), client(10, 30, 1))])).toEqual([true, true, true]);
    expect(isMet([outage("kill", client(251, 271), client(10, 30, 1))])).toEqual([false, false, true]);
  });
});

it("misses the target for requests where the plain client sends none", () => {
  expect(isMet([outage("freeze", client(1, 1, 9), client(400, 400, 0))])).toEqual([true, true, false]);
});

it("takes the median over the outages of a kind, and keeps kinds apart", () => {
  const killed = [10, 30, 200].map((ms) => outage("kill", client(ms, ms, 10), client(1, 1, 100)));
  const frozen = outage("freeze", client(50, 60, 20), client(500, 600, 100));

  const [kill, freeze] = summariseOutages([...killed, frozen]);

  expect(kill).toMatchObject({
    kind: "kill",
    outages: 3,
    clerk: { medianWorkerMs: { median: 30, min: 10, max: 200 } },
  });
  expect(freeze).toMatchObject({ kind: "freeze", outages: 1, clerk: { worstWorkerMs: { median: 60 } } });
  expect(totalRequests([...killed, frozen])).toMatchObject({ value: 50 / 400, isMet: false });
});

it("prints a missed target as such, next to those that are met", () => {
  const [summary] = summariseOutages([outage("freeze", client(300, 310, 9), client(400, 700, 100))]);

  expect(outageTable(summary!).split("\n").slice(-3)).toEqual([
    "  median worker: Clerk to plain 0.75, target at most 0.5: MISSED",
    "  worst worker: Clerk to plain 0.44, target at most 0.5: met",
    "  requests: Clerk to plain 0.09, target at most 0.1: met",
  ]);
});
