import { z } from "zod";
import { readText, WorkloadText } from "./workload-text.js";

const whole = (min: number, max: number) => {
  const allowed = `allowed: a whole number from ${min} to ${max}`;
  return z.number(allowed).int(allowed).min(min, allowed).max(max, allowed);
};
const OBJECT = "allowed: an object";
/** Characters of a wrong value or name that are repeated in a message. */
const MAX_VALUE = 60;

const workloadSchema = z.strictObject(
  {
    /** How often each operation is chosen, in proportion to the other two. */
    shares: z
      .strictObject({ get: whole(0, 1_000), put: whole(0, 1_000), append: whole(0, 1_000) }, OBJECT)
      .refine(({ get, put, append }) => get + put + append > 0, "allowed: at least one share above 0"),
    /** Keys that are put and read. */
    registerKeys: whole(1, 10_000),
    /** Keys that are appended to and read. */
    logKeys: whole(1, 10_000),
    /** After so many operations for each key, on average, a fresh set of keys is taken: values and histories stay short. */
    operationsPerKey: whole(10, 5_000),
    /** Length of a value that is put, in bytes. An append is as short as it can be, so that values stay small. */
    valueBytes: whole(16, 65_536),
    /** How long a session rests between two operations, in milliseconds. */
    thinkMs: whole(0, 60_000),
  },
  OBJECT,
);

export type Workload = z.output<typeof workloadSchema>;

/**
 * Reads a workload file: JSON, where YAML's comments are welcome too.
 * @throws {UsageError} with a line for each problem, five at most: file, line and column, what is wrong, what is allowed.
 */
export function readWorkload(path: string): Workload {
  return parseWorkload(readText(path), path);
}

/** As `readWorkload`, for a text already read; the path serves the messages. */
export function parseWorkload(text: string, path: string): Workload {
  const given = new WorkloadText(text, path);
  const result = workloadSchema.safeParse(given.value);
  if (result.success) return result.data;
  // What is there too much comes first: it says why something else is missing.
  const isUnknown = ({ code }: z.core.$ZodIssue) => code === "unrecognized_keys";
  const issues = result.error.issues.toSorted((a, b) => Number(isUnknown(b)) - Number(isUnknown(a)));
  throw given.refused(
    issues.flatMap((issue) =>
      describe(issue, given.value).map(({ keys, message }) => ({ offset: given.offsetOf(keys), message })),
    ),
  );
}

type Key = PropertyKey;

/** What is wrong, and with which value; several for an object with several keys too many. */
function describe(issue: z.core.$ZodIssue, given: unknown): { keys: Key[]; message: string }[] {
  if (issue.code === "unrecognized_keys") {
    const shape = issue.path.length === 0 ? workloadSchema.shape : workloadSchema.shape.shares.shape;
    const known = Object.keys(shape).join(", ");
    return issue.keys.map((key) => {
      const keys = [...issue.path, key];
      return { keys, message: `unknown key ${shown(keys.join("."))}; allowed: ${known}` };
    });
  }
  const value = valueAt(given, issue.path);
  const found = value === undefined ? "is missing" : `is ${cut(JSON.stringify(value))}`;
  const name = issue.path.length === 0 ? "the workload" : issue.path.join(".");
  return [{ keys: issue.path, message: `${name} ${found}; ${issue.message}` }];
}

/** A name from the file: control characters of it would reach the terminal. */
function shown(name: string): string {
  return cut(JSON.stringify(name).slice(1, -1));
}

function cut(text: string): string {
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}...` : text;
}

function valueAt(given: unknown, path: readonly Key[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<Key, unknown> | null)?.[key], given);
}
