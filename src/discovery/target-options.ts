import { z } from "zod";
import { parseTarget } from "./target.js";

/** A target as it stands in a file. Every problem of it is an issue of its own. */
export const targetSchema = z.string().superRefine((target, context) => {
  const parsed = parseTarget(target);
  if (parsed.ok) return;
  for (const message of parsed.problems) context.addIssue({ code: "custom", message });
});
