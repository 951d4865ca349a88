import { z } from "zod";
import type { OutlierEjectionOptions } from "../breaker/index.js";
import { type Fields, fieldsOf, isObject } from "../core/index.js";

/** Each keeps to one endpoint as long as it can: easing would send its calls elsewhere. */
const NEVER_EASED: readonly unknown[] = ["pick_first", "ring_hash", "consistent_hash"];

/** What would do nothing is refused, wherever a channel's data stands. */
export const poolRules = z.superRefine<object>(
  (options, context) => {
    const { health, breaker, loadBalancing, outlierEjection, slowStartMs } = options as Fields;
    const problem = (message: string, ...path: string[]) =>
      context.addIssue({ code: "custom", path, message });
    const policy = fieldsOf(loadBalancing)["policy"] ?? loadBalancing;
    if (policy === "pick_first") {
      const instead = "use round_robin, and give endpoints a priority";
      if (health !== undefined) problem(`means nothing under pick_first (gRFC A17); ${instead}`, "health");
      if (outlierEjection !== undefined)
        problem(`means nothing under pick_first (gRFC A50); ${instead}`, "outlierEjection");
    }
    if (NEVER_EASED.includes(policy) && typeof slowStartMs === "number" && slowStartMs > 0) {
      problem(
        `means nothing under ${String(policy)}, which keeps to its endpoint; leave it out`,
        "slowStartMs",
      );
    }
    if (fieldsOf(breaker)["probedBy"] === "health" && health === undefined) {
      problem("needs the option health beside breaker", "breaker", "probedBy");
    }
  },
  { when: isObject },
);

/** Only where all else is well: a misspelt algorithm is told once. */
export function ejectsSomebody({ value, issues }: z.core.ParsePayload<OutlierEjectionOptions>): void {
  if (issues.length > 0 || value.successRate !== undefined || value.failurePercentage !== undefined) return;
  const message = "ejects nobody; give successRate, failurePercentage or both ({} for defaults)";
  issues.push({ code: "custom", message, input: value });
}
