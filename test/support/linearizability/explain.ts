import type { Operation } from "./operation.js";

const SHOWN_OPERATIONS = 8;
const SHOWN_CHARACTERS = 48;

/** A few lines a human understands about operations of one key that have no valid order. */
export function explainConflict(
  key: string,
  operations: readonly Operation[],
  conflict: readonly Operation[],
): string {
  const hidden = conflict.length - SHOWN_OPERATIONS;
  const read = conflict.findLast(({ kind }) => kind === "get");
  return [
    `key ${quote(key)} is not linearizable: no order of its ${operations.length} operations explains ${
      conflict.length === 1 ? "this read" : `these ${conflict.length} together`
    }`,
    ...(hidden > 0 ? [`  (${hidden} earlier ones not shown)`] : []),
    ...conflict.slice(-SHOWN_OPERATIONS).map((operation) => `  ${describe(operation, read)}`),
    ...(read === undefined ? [] : repeatedAppends(operations, read).map((line) => `  ${line}`)),
  ].join("\n");
}

function describe(operation: Operation, read: Operation | undefined): string {
  const { session, kind, value, result, invokedMs, returnedMs } = operation;
  const time = `[${invokedMs.toFixed(3)} ms, ${returnedMs === null ? "unknown" : `${returnedMs.toFixed(3)} ms`}]`;
  const what =
    kind === "get" ? `get -> ${result === undefined ? "missing" : quote(result)}` : `${kind} ${quote(value)}`;
  const isLost = kind !== "get" && read !== undefined && !(read.result ?? "").includes(value);
  return `session ${session} ${what} ${time}${isLost ? " (not in what the last read returned)" : ""}`;
}

function repeatedAppends(operations: readonly Operation[], { result }: Operation): readonly string[] {
  const issued = new Map<string, number>();
  for (const { kind, value } of operations) {
    if (kind !== "get" && value !== "") issued.set(value, (issued.get(value) ?? 0) + 1);
  }
  return [...issued]
    .map(([text, times]) => ({ text, times, seen: (result ?? "").split(text).length - 1 }))
    .filter(({ times, seen }) => seen > times)
    .slice(0, 3)
    .map(
      ({ text, times, seen }) =>
        `${quote(text)} was written ${times} time(s) but the last read has it ${seen} times`,
    );
}

/** Long values keep their end: that is where registers differ. */
function quote(text: string): string {
  if (text.length <= SHOWN_CHARACTERS) return JSON.stringify(text);
  return `…${JSON.stringify(text.slice(-SHOWN_CHARACTERS))} (${text.length} characters)`;
}
