import type { LogEntry } from "holdfast";

/** A log entry with a short text as its command. */
export function entry(index: number, term: number, text = `${index}@${term}`): LogEntry {
  return { index, term, command: new Uint8Array(Buffer.from(text)) };
}

/** A log with these terms, from index 1. */
export function logOf(...terms: readonly number[]): LogEntry[] {
  return terms.map((term, position) => entry(position + 1, term));
}

export function texts(entries: readonly LogEntry[]): string[] {
  return entries.map(({ command }) => Buffer.from(command).toString());
}
