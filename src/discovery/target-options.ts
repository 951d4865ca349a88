import { z } from "zod";
import { parseTargets } from "./target-list.js";

/** A target as it stands in a file, or a list of them in order of preference. Every problem of it is an issue of its own. */
export const targetSchema = z.union([z.string(), z.array(z.string())]).superRefine((target, context) => {
  const parsed = parseTargets(target);
  if (parsed.ok) return;
  for (const message of parsed.problems) context.addIssue({ code: "custom", message });
});
