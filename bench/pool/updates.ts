import { alignColumns } from "../../examples/shared/align-columns.js";
import type { Section } from "../report/section.js";
import { atMost, below, type Verdict } from "../report/verdict.js";
import {
  type IdleCost,
  measureIdle,
  measureUpdates,
  UPDATED_POLICIES,
  type UpdateCost,
} from "./update-cost.js";

const ENDPOINTS = 10_000;
const UPDATES = 15;
const IDLE_BYTES = 2_048;
const HEADS = ["", "created", "removed", "dials", "reconnected", "forgotten", "ms", "ms of the next pick"];

/** Updates that change one of 10,000 endpoints, and what one costs that is never called. */
export async function* ofUpdates(): AsyncGenerator<Section> {
  const updates: UpdateCost[] = [];
  for (const policy of UPDATED_POLICIES) updates.push(await measureUpdates(policy, ENDPOINTS, UPDATES));
  const idle = await measureIdle(ENDPOINTS);
  yield {
    part: "update",
    data: { title: "update", updates, idle },
    table: [
      `Updates that change 1 of ${ENDPOINTS.toLocaleString("en")} endpoints (${UPDATES} of them; counts are the most of any)`,
      alignColumns([HEADS, ...updates.map(row)]),
      `an endpoint never called: ${idle.bytesPerEndpoint.toFixed(0)} B of heap, ${idle.innerChannels} inner channels and ${idle.timers} timers for ${ENDPOINTS.toLocaleString("en")} of them`,
    ].join("\n"),
    verdicts: [...updates.flatMap(updateVerdicts), ...idleVerdicts(idle)],
  };
}

export function updateVerdicts({ policy, ...counts }: UpdateCost): Verdict[] {
  const touched = Math.max(counts.created, counts.removed, counts.dials);
  return [
    atMost(`${policy}: endpoints touched`, touched, 1),
    atMost(`${policy}: kept endpoints that lost something`, counts.reconnected + counts.forgotten, 0),
  ];
}

export function idleVerdicts({ bytesPerEndpoint, innerChannels, timers }: IdleCost): Verdict[] {
  return [
    below("never called: heap bytes per endpoint", bytesPerEndpoint, IDLE_BYTES),
    atMost("never called: inner channels", innerChannels, 0),
    atMost("never called: timers", timers, 0),
  ];
}

function row(cost: UpdateCost): string[] {
  return [
    cost.policy,
    String(cost.created),
    String(cost.removed),
    String(cost.dials),
    String(cost.reconnected),
    String(cost.forgotten),
    cost.ms.toFixed(2),
    cost.firstPickMs.toFixed(2),
  ];
}
