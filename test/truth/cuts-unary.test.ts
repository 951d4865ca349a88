import { expect, it } from "vitest";
import { AGES, runCuts } from "../support/truth-cuts.js";
import { expectTruth, truthSuite } from "../support/truth-suite.js";

const table = truthSuite("Unary calls through a pool, cut after every byte");

for (const age of AGES) {
  it(`tells the truth about a call that is not idempotent, wherever its ${age} connection is cut`, async () => {
    const ledger = await runCuts({ kind: "Unary", door: "pool", age, isIdempotent: false });
    table.addAll(ledger);

    expectTruth(ledger);
    expect(ledger.count("ran twice or more")).toBe(0);
    // All sides of the story must occur, or the connections were not cut where it matters.
    for (const part of ["ok", "maybe, did not run", "maybe, ran", "yes, ran"] as const) {
      expect(ledger.count(part), part).toBeGreaterThan(0);
    }
  }, 240_000);

  it(`tells the truth about an idempotent call, wherever its ${age} connection is cut`, async () => {
    const ledger = await runCuts({ kind: "Unary", door: "pool", age, isIdempotent: true });
    table.addAll(ledger);

    expectTruth(ledger);
    // Behind a black hole the time may be over before another endpoint is asked.
    const cutOff = ledger.verdicts.filter(({ cell }) => !cell.startsWith("black hole"));
    expect(cutOff.filter(({ told }) => told !== "ok")).toEqual([]);
    expect(ledger.count("ran twice or more")).toBeGreaterThan(0);
  }, 240_000);
}
