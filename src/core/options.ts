import { distance } from "fastest-levenshtein";
import { z } from "zod";
import { configInvalid } from "./errors.js";

/** A duration in milliseconds, zero allowed. */
export const durationMs = () => z.number().min(0).max(MAX_DURATION_MS);
/** A duration in milliseconds that must pass. */
export const positiveMs = () => z.number().min(1).max(MAX_DURATION_MS);
/** gRPC's longest duration, in milliseconds. */
const MAX_DURATION_MS = 315_576_000_000_000;

/** Keys further away than this are not worth suggesting. */
const MAX_SUGGESTION_DISTANCE = 3;

/**
 * Parses options once, at the door.
 * @throws ResilienceError `CONFIG_INVALID` that lists every problem with key, value and what is allowed.
 */
export function parseOptions<S extends z.ZodType>(schema: S, input: unknown, where: string): z.output<S> {
  const result = schema.safeParse(input, { reportInput: true });
  if (result.success) return result.data;
  throw problemsError(where, describeIssues(result.error.issues, schema));
}

/** All problems in one error. */
export function problemsError(where: string, problems: readonly string[]): Error {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return configInvalid(`${where}: ${count}: ${problems.join("; ")}`);
}

/** One sentence per issue: key, value, what is allowed. */
export function describeIssues(issues: readonly z.core.$ZodIssue[], schema: z.ZodType): string[] {
  return issues.flatMap((issue) => describeIssue(issue, schema));
}

function describeIssue(issue: z.core.$ZodIssue, schema: z.ZodType): string[] {
  const path = issue.path.map(String).join(".");
  const key = path === "" ? "options" : path;
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(schema, issue.path);
    return issue.keys.map(
      (name) => `${path === "" ? name : `${path}.${name}`} is not a known key${suggest(name, known)}`,
    );
  }
  if (issue.code === "custom") return [`${key}: ${issue.message}`];
  return [`${key} is ${show(issue.input)}; allowed: ${allowed(issue)}`];
}

function allowed(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "too_small":
      return `${issue.origin === "string" ? "a length of" : ""} ${issue.minimum} or more`.trim();
    case "too_big":
      return `${issue.origin === "string" ? "a length of" : ""} ${issue.maximum} or less`.trim();
    case "invalid_value":
      return issue.values.map((value) => JSON.stringify(value)).join(", ");
    case "invalid_type":
      return `a value of type ${issue.expected}`;
    case "invalid_union":
      return [...new Set(issue.errors.flat().map(allowed))].join(", or ");
    default:
      return issue.message;
  }
}

/** The value as a reader can recognise it; never a dump of a large or secret object. */
function show(value: unknown): string {
  if (typeof value === "string")
    return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}...` : value);
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return typeof value === "function" ? "a function" : String(value);
}

/** The nearest known name, or nothing when none is near. */
export function suggest(name: string, known: readonly string[]): string {
  const nearest = known
    .map((candidate) => ({ candidate, far: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.far - b.far)[0];
  if (nearest !== undefined && nearest.far <= MAX_SUGGESTION_DISTANCE)
    return ` (did you mean ${nearest.candidate}?)`;
  return known.length > 0 && known.length <= 30 ? ` (known: ${known.join(", ")})` : "";
}

function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let current: unknown = unwrap(schema);
  for (const step of path) {
    if (current instanceof z.ZodObject) current = unwrap(current.shape[String(step)]);
    else if (current instanceof z.ZodRecord) current = unwrap(current.valueType);
    else return [];
  }
  return current instanceof z.ZodObject ? Object.keys(current.shape) : [];
}

/** Sees through defaults, optionals and unions to the object schema inside. */
function unwrap(schema: unknown): unknown {
  if (schema instanceof z.ZodUnion) {
    return schema.options.map(unwrap).find((option) => option instanceof z.ZodObject) ?? schema;
  }
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  ) {
    return unwrap(schema.unwrap());
  }
  return schema;
}
