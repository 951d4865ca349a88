import { z } from "zod";
import { isObject } from "../core/index.js";

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return isObject({ value }) ? (value as Fields) : {};
}

/** What would do nothing is refused, wherever a channel's data stands. */
export const poolRules = z.superRefine<object>(
  (options, context) => {
    const { health, breaker, loadBalancing, outlierEjection } = options as Fields;
    const problem = (message: string, ...path: string[]) =>
      context.addIssue({ code: "custom", path, message });
    const policy = fieldsOf(loadBalancing)["policy"] ?? loadBalancing;
    if (policy === "pick_first") {
      const instead = "use round_robin, and give endpoints a priority";
      if (health !== undefined) problem(`means nothing under pick_first (gRFC A17); ${instead}`, "health");
      if (outlierEjection !== undefined)
        problem(`means nothing under pick_first (gRFC A50); ${instead}`, "outlierEjection");
    }
    if (fieldsOf(breaker)["probedBy"] === "health" && health === undefined) {
      problem("health needs the option health beside breaker", "breaker", "probedBy");
    }
  },
  { when: isObject },
);
