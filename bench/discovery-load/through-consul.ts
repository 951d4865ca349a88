import { findConsul } from "../../scripts/consul.mjs";
import type { Section } from "../report/section.js";
import { runChanges } from "./changes.js";
import { OUTAGE_NAMES, OUTAGES } from "./outage-kinds.js";
import { type OutageResult, runOutage } from "./outages.js";
import { changesTable, changesVerdicts, outagesTable, outageVerdicts } from "./report.js";

/** What the minute is made of: long enough for each change to be over, with all options as by default. */
const CALM_MS = 6_000;
const OUTAGE_CALM_MS = 1_000;
const MISSING =
  "skipped: Consul is neither on PATH nor built; install it as usual, or run: node scripts/consul.mjs";

/** A minute of changes by an operator. */
export async function* ofChanges(): AsyncGenerator<Section> {
  if (findConsul() === undefined) {
    yield skipped("changes");
    return;
  }
  const result = await runChanges({ calmMs: CALM_MS, discovery: {} });
  yield {
    part: "changes",
    data: { title: "changes", ...result },
    table: changesTable(result),
    verdicts: changesVerdicts(result),
  };
}

/** Consul itself away, in each way by itself. */
export async function* ofConsulOutages(): AsyncGenerator<Section> {
  if (findConsul() === undefined) {
    yield skipped("away");
    return;
  }
  const results: OutageResult[] = [];
  for (const name of OUTAGE_NAMES) results.push(await runOutage(OUTAGES[name], OUTAGE_CALM_MS));
  yield {
    part: "away",
    data: { title: "away", results },
    table: outagesTable(results),
    verdicts: results.flatMap(outageVerdicts),
  };
}

function skipped(part: "changes" | "away"): Section {
  return { part, data: { title: part, skipped: MISSING }, table: `${part}: ${MISSING}`, verdicts: [] };
}
