import { describe, expect, it } from "vitest";
import { DOORS, KINDS } from "../support/truth-calls.js";
import { AGES } from "../support/truth-cuts.js";
import { documentedRow, truthDocument } from "../support/truth-document.js";
import { CUTS, SIDES } from "../support/truth-proxy.js";
import { CODES, LAST_IDS, STAGES } from "../support/truth-raw.js";

describe("docs/outcome-truth.md", () => {
  it.each([...CUTS, ...SIDES, ...AGES, ...KINDS, ...DOORS, ...STAGES, ...LAST_IDS])("names %s", (name) => {
    expect(truthDocument).toContain(`\`${name}\``);
  });

  it.each([...CODES])("names the code %s (%i)", (name, code) => {
    expect(truthDocument).toContain(`\`0x${code.toString(16)}\` ${name}`);
  });

  it.each(KINDS.flatMap((kind) => AGES.map((age) => `${kind}, ${age}, pool`)))(
    "has counts of %s that add up, without a lie or a second run",
    (group) => {
      const row = documentedRow(group);
      if (row === null) throw new Error(`no row ${group}`);
      const told = row.ok + row["no, did not run"] + row["maybe, did not run"];

      expect(told + row["maybe, ran"] + row["yes, ran"]).toBe(row.calls);
      expect([row["ran twice or more"], row.lies]).toEqual([0, 0]);
    },
  );
});
