import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { DOORS, KINDS } from "../support/truth-calls.js";
import { expectDocumented } from "../support/truth-document.js";
import { rstEndings, runEndings } from "../support/truth-endings.js";
import { Ledger } from "../support/truth-ledger.js";
import { CODES } from "../support/truth-raw.js";
import { expectTruth, truthSuite } from "../support/truth-suite.js";

const table = truthSuite("Calls ended by RST_STREAM");
const all = { endings: rstEndings, kinds: KINDS, doors: DOORS };

/** R165. */
const MEANS: Readonly<Record<string, status>> = {
  REFUSED_STREAM: status.UNAVAILABLE,
  CANCEL: status.CANCELLED,
  ENHANCE_YOUR_CALM: status.RESOURCE_EXHAUSTED,
  INADEQUATE_SECURITY: status.PERMISSION_DENIED,
};

describe("RST_STREAM with every code at every stage", () => {
  it("never runs a call twice that is not idempotent, and never lies about it", async () => {
    const ledger = await runEndings({ ...all, isIdempotent: false });
    table.addAll(ledger);

    expectTruth(ledger);
    expect(ledger.count("ran twice or more")).toBe(0);
    expect(ledger.count("no, did not run")).toBeGreaterThan(0);
    expectDocumented(ledger, ["calls", "ok", "no, did not run", "ran twice or more", "lies"]);
  }, 240_000);

  it("never lies about an idempotent call", async () => {
    const ledger = await runEndings({ ...all, kinds: ["Unary"], isIdempotent: true });
    table.addAll(ledger);

    expectTruth(ledger);
    expectDocumented(ledger, ["calls", "lies"]);
  }, 240_000);

  it("R165: every code of RST_STREAM keeps the code it has in gRPC", () => {
    const early = table.verdicts.filter(({ ran, told }) => told !== "ok" && ran === 0);

    for (const name of CODES.keys()) {
      const ofCode = early.filter(({ cell }) => cell.startsWith(`RST_STREAM ${name},`));
      expect(ofCode.length, name).toBeGreaterThan(0);
      const codes = ofCode.map(({ report }) => report.attempts?.at(0)?.code);
      expect([name, ...new Set(codes)]).toEqual([name, MEANS[name] ?? status.INTERNAL]);
    }
  });

  it("notices a handler that ran, though its caller was told that it did not", () => {
    const ledger = new Ledger();
    const verdict = { cell: "made up", group: "made up", isIdempotent: false, report: {}, opened: 1 };
    ledger.add({ ...verdict, told: "no", ran: 1 });
    ledger.add({ ...verdict, told: "yes", ran: 0 });
    ledger.add({ ...verdict, told: "maybe", ran: 2 });
    ledger.add({ ...verdict, told: "maybe", ran: 0, opened: 0 });
    ledger.add({ ...verdict, told: "maybe", ran: 1 });

    expect(ledger.contradictions).toHaveLength(4);
  });
});
