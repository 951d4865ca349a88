import { distance } from "fastest-levenshtein";
import { z } from "zod";
import { configInvalid } from "./errors.js";

/** A duration in milliseconds, zero allowed. */
export const durationMs = () => z.number().min(0).max(MAX_DURATION_MS);
/** A duration in milliseconds that must pass. @param least the shortest that is allowed */
export const positiveMs = (least = 1) => z.number().min(least).max(MAX_DURATION_MS);
/** gRPC's longest duration, in milliseconds. */
const MAX_DURATION_MS = 315_576_000_000_000;

/**
 * For the `when` of a rule across fields: it is to be checked beside the fields' own problems, not after them, so that
 * a user sees all problems at once. The rule must bear fields of any type.
 */
export function isObject(payload: { readonly value: unknown }): boolean {
  return typeof payload.value === "object" && payload.value !== null;
}

/** An object's fields by name, for rules that are asked of what may be anything: anything else has none. */
export type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(value: unknown): Fields {
  return isObject({ value }) ? (value as Fields) : {};
}

/** For rules across fields: true when both are numbers that stand on their own, and the first is the larger one. */
export function exceeds(value: unknown, limit: unknown): boolean {
  return isLegal(value) && isLegal(limit) && value > limit;
}

function isLegal(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value > 0;
}

/** As `params` of a custom issue: its value may be a secret, and is not told. */
export const VALUE_HIDDEN = { isValueHidden: true };

/** Names further apart than this do not mean the same; short ones are nearer, or each would resemble every other. */
const suggestionDistance = (name: string, candidate: string) =>
  Math.min(3, Math.ceil(Math.max(name.length, candidate.length) / 3));
/** Problems that one error tells; nobody reads more, and a log line stays one. */
const MAX_PROBLEMS = 100;

/**
 * Parses options once, at the door.
 * @throws ResilienceError `CONFIG_INVALID` that lists every problem with key, value and what is allowed.
 */
export function parseOptions<S extends z.ZodType>(schema: S, input: unknown, where: string): z.output<S> {
  const result = schema.safeParse(input, { reportInput: true });
  if (result.success) return result.data;
  throw problemsError(where, describeIssues(result.error.issues, schema, input));
}

/** All problems in one error: their number, and the first hundred of them. */
export function problemsError(where: string, problems: readonly string[], cause?: unknown): Error {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const untold = problems.length - MAX_PROBLEMS;
  const more = untold > 0 ? `; and ${untold} more` : "";
  return configInvalid(`${where}: ${count}: ${problems.slice(0, MAX_PROBLEMS).join("; ")}${more}`, cause);
}

/**
 * One sentence per issue: key, value, what is allowed.
 *
 * @param whole what the input as a whole is called
 */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  schema: z.ZodType,
  input: unknown,
  whole = "options",
): string[] {
  return issues.flatMap((issue) => describeIssue(issue, schema, input, whole));
}

function describeIssue(issue: z.core.$ZodIssue, schema: z.ZodType, input: unknown, whole: string): string[] {
  const path = issue.path.map(shownName).join(".");
  const key = path === "" ? whole : path;
  switch (issue.code) {
    case "unrecognized_keys": {
      const known = knownKeys(schema, issue.path);
      const prefix = path === "" ? "" : `${path}.`;
      return issue.keys.map((name, index) => {
        // Comparing takes time, and these are not told.
        const near = index < MAX_PROBLEMS ? suggest(name, known) : "";
        return `${prefix}${shownName(name)} is not a known key${near}`;
      });
    }
    case "invalid_key":
      return issue.issues.map(({ message }) => `${key}: ${message}`);
    case "custom":
      if (namesField(issue.message, knownKeys(schema, issue.path)))
        return [path === "" ? issue.message : `${path}.${issue.message}`];
      if (issue.params === VALUE_HIDDEN) return [`${key}: ${issue.message}`];
      return [`${key}${shownBeside(issue.message, valueAt(input, issue.path))}: ${issue.message}`];
    case "invalid_union": {
      const known = (issue as { options?: unknown }).options;
      if (issue.errors.length === 0 && Array.isArray(known)) {
        const choices = known.map((one) => JSON.stringify(one)).join(", ");
        return [`${key} is ${show(valueAt(input, issue.path))}; allowed: ${choices}`];
      }
      const inside = deeperBranch(issue);
      if (inside !== null) return describeIssues(inside, schema, input, whole);
    }
  }
  const isEmpty = issue.code === "too_small" && Array.isArray(issue.input) && issue.input.length === 0;
  return [`${key} is ${isEmpty ? "an empty array" : show(issue.input)}; allowed: ${allowed(issue)}`];
}

/** True for the sentence of a rule across fields that begins with one of them: `maxAttempts is 9; ...`. */
function namesField(message: string, known: readonly string[]): boolean {
  return known.includes(/^(\w+) is /.exec(message)?.[1] ?? "");
}

/** Of a union, the branch that fits the input's shape: its problems say more than "none of these". */
function deeperBranch(issue: z.core.$ZodIssueInvalidUnion): z.core.$ZodIssue[] | null {
  const branch = issue.errors.find((issues) =>
    // Rules across fields are asked only of a value that has the shape.
    issues.some(({ code, path }) => path.length > 0 || code === "unrecognized_keys" || code === "custom"),
  );
  return branch?.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })) ?? null;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, step) => (typeof value === "object" && value !== null ? Reflect.get(value, step) : undefined),
    input,
  );
}

/** The value, unless the message says it already or it is no plain one. */
function shownBeside(message: string, value: unknown): string {
  if (value === undefined || (typeof value === "object" && value !== null)) return "";
  return message.includes(show(value)) ? "" : ` is ${show(value)}`;
}

function allowed(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "too_small":
      return atLeast(issue.minimum, issue.inclusive !== false, issue.origin);
    case "too_big":
      return issue.inclusive === false
        ? `less than ${issue.maximum}`
        : `${lengthOf(issue.origin)}${issue.maximum} or less`;
    case "invalid_value":
      return issue.values.map((value) => JSON.stringify(value)).join(", ");
    case "invalid_type":
      return `a value of type ${issue.expected === "record" ? "object" : issue.expected}`;
    case "invalid_union":
      return [...new Set(issue.errors.flat().map(allowed))].join(", or ");
    default:
      return issue.message;
  }
}

function atLeast(minimum: number | bigint, isInclusive: boolean, origin: string): string {
  if (!isInclusive) return `more than ${minimum}`;
  if (origin === "array") return `${minimum} ${minimum === 1 ? "entry" : "entries"} or more`;
  return `${lengthOf(origin)}${minimum} or more`;
}

function lengthOf(origin: string): string {
  return origin === "string" ? "a length of " : "";
}

/** A key as a reader can recognise it: quoted when it would tear the sentence apart, and cut when it is long. */
function shownName(key: PropertyKey): string {
  const name = String(key);
  return /^[\w$./:-]{1,80}$/.test(name) ? name : show(name);
}

/** The value as a reader can recognise it; never a dump of a large or secret object. */
function show(value: unknown): string {
  if (typeof value === "string") {
    if (isPem(value)) return "a PEM text";
    return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}...` : value);
  }
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return typeof value === "function" ? "a function" : String(value);
}

/**
 * True for a text that holds a key or a certificate, with its first or last line, or as the bare base64 of its DER, which always
 * begins with an M. Whatever stands in the place of a file name may be a secret, and errors end in logs.
 */
export function isPem(text: string): boolean {
  return /-----(BEGIN|END)/.test(text) || /^M[A-Za-z0-9+/\r\n]{59,}={0,2}$/.test(text.trim());
}

/** The known name that was meant, or null when none is near. */
export function nearestName(name: string, known: readonly string[]): string | null {
  const nearest = known
    .map((candidate) => ({ candidate, far: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.far - b.far)[0];
  if (nearest === undefined || nearest.far > suggestionDistance(name, nearest.candidate)) return null;
  return nearest.candidate;
}

/** The nearest known name for the end of a sentence, or all of them when none is near. */
export function suggest(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  if (nearest !== null) return ` (did you mean ${nearest}?)`;
  return known.length > 0 && known.length <= 40 ? ` (known: ${known.join(", ")})` : "";
}

function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let current: unknown = unwrap(schema);
  for (const step of path) {
    if (current instanceof z.ZodObject) current = unwrap(current.shape[String(step)]);
    else if (current instanceof z.ZodRecord) current = unwrap(current.valueType);
    else if (current instanceof z.ZodArray) current = unwrap(current.element);
    else return [];
  }
  if (!(current instanceof z.ZodObject)) return [];
  // A key that stands in the schema to be refused with a reason is no help.
  return Object.keys(current.shape).filter((key) => current.shape[key].meta()?.deprecated !== true);
}

/** Sees through defaults, optionals, transforms and unions to the object schema inside. */
function unwrap(schema: unknown): unknown {
  if (schema instanceof z.ZodUnion) {
    return schema.options.map(unwrap).find((option) => option instanceof z.ZodObject) ?? schema;
  }
  // What a preprocessor takes is not known; what it gives is.
  if (schema instanceof z.ZodPipe) {
    return unwrap(schema.in instanceof z.ZodTransform ? schema.out : schema.in);
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
