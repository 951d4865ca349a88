import { describeIssues, problemsError } from "../core/index.js";
import { parseText } from "./parse-text.js";
import { plainData } from "./plain-data.js";
import { type ServiceConfig, serviceConfigSchema } from "./service-config-schema.js";

/** A resolver hands over at most 64 KiB; a file of this size has some thousand methods. */
const MAX_TEXT_LENGTH = 1024 * 1024;

/** @throws ResilienceError `CONFIG_INVALID` that lists every problem */
export function readServiceConfig(given: unknown): ServiceConfig {
  const { value, problems } = typeof given === "string" ? readText(given) : plainData(given);
  if (problems.length > 0) throw problemsError("fromServiceConfig", problems);
  const result = serviceConfigSchema.safeParse(value, { reportInput: true });
  if (!result.success) {
    const issues = describeIssues(result.error.issues, serviceConfigSchema, value, "the service config");
    throw problemsError("fromServiceConfig", issues);
  }
  return result.data;
}

function readText(text: string): { readonly value: unknown; readonly problems: readonly string[] } {
  const refuse = (...problems: string[]) => ({ value: null, problems });
  if (text.length > MAX_TEXT_LENGTH) {
    return refuse(`the text has ${text.length} characters; allowed: ${MAX_TEXT_LENGTH} or less`);
  }
  if (/^\s*(null\s*)?$/.test(text)) return refuse("the text is empty; allowed: a JSON object");
  const parsed = parseText(text, "json");
  return parsed.ok ? { value: parsed.value, problems: [] } : refuse(...parsed.problems);
}
