import { describe, expect, it } from "vitest";
import { DOORS, KINDS } from "../support/truth-calls.js";
import { expectDocumented } from "../support/truth-document.js";
import { goawayEndings, runEndings } from "../support/truth-endings.js";
import { expectTruth, truthSuite } from "../support/truth-suite.js";

const table = truthSuite("Calls ended by GOAWAY");
const unary = { endings: goawayEndings, kinds: ["Unary"], doors: DOORS } as const;

describe("GOAWAY with every code and last stream id at every stage", () => {
  it("never runs a call twice that is not idempotent, and never lies about it", async () => {
    const ledger = await runEndings({ ...unary, isIdempotent: false });
    const streams = KINDS.filter((kind) => kind !== "Unary");
    ledger.addAll(
      await runEndings({
        ...unary,
        kinds: streams,
        doors: ["pool"],
        isIdempotent: false,
        isEveryAttempt: [true],
      }),
    );
    table.addAll(ledger);

    expectTruth(ledger);
    expect(ledger.count("ran twice or more")).toBe(0);
    expect(ledger.count("no, did not run")).toBeGreaterThan(0);
    expectDocumented(ledger, ["calls", "ok", "no, did not run", "ran twice or more", "lies"]);
  }, 240_000);

  it("never lies about an idempotent call, and loses none that another endpoint can serve", async () => {
    const ledger = await runEndings({ ...unary, isIdempotent: true });
    table.addAll(ledger);

    expectTruth(ledger);
    const servable = ledger.verdicts.filter(({ cell }) => /first attempt only, .* pool$/.test(cell));
    const lost = servable.filter(({ told, cell }) => told !== "ok" && !/response|trailers/.test(cell));
    expect(lost.map(({ cell }) => cell)).toEqual([]);
    expectDocumented(ledger, ["calls", "lies"]);
  }, 240_000);
});
