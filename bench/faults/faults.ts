import type { Section } from "../report/section.js";
import { FAULTS, type FaultKind, type FaultName } from "./fault-kinds.js";
import { faultTable, faultVerdicts } from "./fault-report.js";
import { type FaultResult, runFault } from "./run-fault.js";

/** Each fault by itself: two at a time would disturb each other. */
export async function* throughFaults(names: readonly FaultName[]): AsyncGenerator<Section> {
  const results: FaultResult[] = [];
  const kinds = names.map((name): FaultKind => FAULTS[name]);
  for (const kind of kinds) results.push(await runFault(kind));
  yield {
    part: "faults",
    data: { title: "faults", results },
    table: faultTable(results),
    verdicts: kinds.flatMap((kind, at) => faultVerdicts(results[at] as FaultResult, kind.targets)),
  };
}
