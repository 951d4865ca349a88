import { expect, it } from "vitest";
import { AGES, runCuts } from "../support/truth-cuts.js";
import { expectTruth, truthSuite } from "../support/truth-suite.js";

const table = truthSuite("Unary calls over a stub's own channel, cut after every byte");

for (const age of AGES) {
  for (const isIdempotent of [false, true]) {
    const what = isIdempotent ? "an idempotent call" : "a call that is not idempotent";
    it(`tells the truth about ${what} without a pool, wherever its ${age} connection is cut`, async () => {
      const ledger = await runCuts({ kind: "Unary", door: "own channel", age, isIdempotent });
      table.addAll(ledger);

      expectTruth(ledger);
      expect(ledger.count("ok")).toBeGreaterThan(0);
      // The second try of an idempotent call may run into a deadline instead.
      if (!isIdempotent) expect(ledger.count("yes, ran")).toBeGreaterThan(0);
    }, 240_000);
  }
}
