import { afterAll, afterEach, beforeEach, expect } from "vitest";
import { until } from "./event-loop.js";
import { Ledger } from "./truth-ledger.js";

/**
 * A file of matrices: prints its table once at the end, and proves that no call left a socket behind. `leakBaseline`
 * also knows every timer, which would cost these thousands of calls several times their own time.
 */
export function truthSuite(title: string): Ledger {
  const ledger = new Ledger();
  let before = 0;
  beforeEach(() => {
    before = openSockets();
  });
  afterEach(() => until(() => openSockets() <= before, "the end of every socket"));
  afterAll(() => console.info(`${title}\n\n${ledger.table}\n`, JSON.stringify(process.cpuUsage())));
  return ledger;
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith("TCP")).length;
}

/** What holds of every call of every matrix. */
export function expectTruth(ledger: Ledger): void {
  expect(ledger.contradictions.join("\n")).toBe("");
  expect(ledger.verdicts.length).toBeGreaterThan(0);
}
