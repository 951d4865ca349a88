import { expect, it } from "vitest";
import { KINDS } from "../support/truth-calls.js";
import { AGES, runCuts } from "../support/truth-cuts.js";
import { expectTruth, truthSuite } from "../support/truth-suite.js";

const table = truthSuite("Streams through a pool, cut after every byte");

for (const kind of KINDS.filter((one) => one !== "Unary")) {
  for (const age of AGES) {
    it(`tells the truth about a ${kind} call, wherever its ${age} connection is cut`, async () => {
      const ledger = await runCuts({ kind, door: "pool", age, isIdempotent: false });
      table.addAll(ledger);

      expectTruth(ledger);
      expect(ledger.count("ran twice or more")).toBe(0);
      expect(ledger.count("maybe, ran")).toBeGreaterThan(0);
      expect(ledger.count("yes, ran")).toBeGreaterThan(0);
    }, 240_000);
  }
}
