import { z } from "zod";
import { isObject } from "../core/index.js";

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return isObject({ value }) ? (value as Fields) : {};
}

/** What would do nothing is refused, wherever a channel's data stands. */
export const poolRules = z.superRefine<object>(
  (options, context) => {
    const { health, breaker, loadBalancing } = options as Fields;
    const problem = (message: string, ...path: string[]) =>
      context.addIssue({ code: "custom", path, message });
    const policy = fieldsOf(loadBalancing)["policy"] ?? loadBalancing;
    if (health !== undefined && policy === "pick_first") {
      problem(
        "means nothing under pick_first (gRFC A17); use round_robin, and give endpoints a priority",
        "health",
      );
    }
    if (fieldsOf(breaker)["probedBy"] === "health" && health === undefined) {
      problem("health needs the option health beside breaker", "breaker", "probedBy");
    }
  },
  { when: isObject },
);
