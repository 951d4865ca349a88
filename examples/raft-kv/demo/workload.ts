import { readFileSync } from "node:fs";
import { type Document, isNode, LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { UsageError } from "../../shared/flags.js";

const whole = (min: number, max: number) => {
  const allowed = `allowed: a whole number from ${min} to ${max}`;
  return z.number(allowed).int(allowed).min(min, allowed).max(max, allowed);
};
const OBJECT = "allowed: an object";

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
 * @throws {UsageError} with a line for each problem: file, line and column, what is wrong, what is allowed.
 */
export function readWorkload(path: string): Workload {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`the workload file cannot be read: ${(error as Error).message}`);
  }
  return parseWorkload(text, path);
}

/** As `readWorkload`, for a text already read; the path serves the messages. */
export function parseWorkload(text: string, path: string): Workload {
  const lines = new LineCounter();
  // YAML 1.2 with the JSON schema: it reads all JSON and, unlike JSON.parse, knows where everything stands.
  const document = parseDocument(text, { schema: "json", lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ pos, message }) => [place(path, lines, pos[0]), message]);
    throw refused(problems.map(([where, message]) => `${where}: ${message}`));
  }
  const given: unknown = document.toJS();
  const result = workloadSchema.safeParse(given);
  if (result.success) return result.data;
  throw refused(
    result.error.issues.flatMap((issue) =>
      describe(issue, given).map(
        ({ keys, message }) => `${place(path, lines, offsetOf(document, keys))}: ${message}`,
      ),
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
      return { keys, message: `unknown key ${keys.join(".")}; allowed: ${known}` };
    });
  }
  const value = valueAt(given, issue.path);
  const found = value === undefined ? "is missing" : `is ${JSON.stringify(value)}`;
  const name = issue.path.length === 0 ? "the workload" : issue.path.join(".");
  return [{ keys: issue.path, message: `${name} ${found}; ${issue.message}` }];
}

function valueAt(given: unknown, path: readonly Key[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<Key, unknown> | null)?.[key], given);
}

/** Where the value stands, or, when it is missing, what should have held it. */
function offsetOf(document: Document, path: readonly Key[]): number {
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const node = document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function place(path: string, lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${path}:${Math.max(1, line)}:${Math.max(1, col)}`;
}

function refused(problems: readonly string[]): UsageError {
  return new UsageError(`the workload file is refused:\n${problems.map((each) => `  ${each}`).join("\n")}`);
}
