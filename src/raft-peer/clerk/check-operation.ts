import { status as Status } from "@grpc/grpc-js";
import { configInvalid, ResilienceError } from "../../core/index.js";
import type { OperationOptions } from "../clerk-api.js";
import type { ResolvedClerkOptions } from "../clerk-options.js";
import type { KvOperation } from "../kv-messages.js";
import { LONE_SURROGATE } from "../wire-fields.js";

type Limits = Pick<ResolvedClerkOptions, "maxKeyBytes" | "maxValueBytes">;

/** What is wrong with an operation's arguments; null when nothing is. */
export function checkOperation(
  op: KvOperation,
  key: unknown,
  value: unknown,
  options: OperationOptions,
  limits: Limits,
): ResilienceError | null {
  return (
    checkText(op, "key", key, limits.maxKeyBytes, "maxKeyBytes") ??
    checkText(op, "value", value, limits.maxValueBytes, "maxValueBytes") ??
    checkOptions(op, options)
  );
}

function checkText(
  op: KvOperation,
  name: string,
  text: unknown,
  maxBytes: number,
  limitName: string,
): ResilienceError | null {
  if (typeof text !== "string")
    return configInvalid(`${op}: ${name} is ${describeType(text)}; allowed: a string`);
  if (LONE_SURROGATE.test(text))
    return configInvalid(`${op}: ${name} holds half of a surrogate pair; allowed: text that UTF-8 can carry`);
  // Three bytes per UTF-16 unit at most: most texts need no counting.
  if (text.length * 3 <= maxBytes) return null;
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return null;
  const details = `${op}: ${name} has ${bytes} bytes; ${limitName} allows ${maxBytes}`;
  return new ResilienceError({ reason: "MESSAGE_TOO_LARGE", code: Status.RESOURCE_EXHAUSTED, details });
}

/** @returns what is wrong with the options that every operation of a Clerk takes */
export function checkOptions(op: string, options: OperationOptions): ResilienceError | null {
  if (typeof options !== "object" || options === null)
    return configInvalid(`${op}: options is ${describeType(options)}; allowed: an object`);
  for (const key of Object.keys(options)) {
    if (key !== "timeoutMs" && key !== "signal")
      return configInvalid(`${op}: ${key} is not a known option (known: timeoutMs, signal)`);
  }
  const { timeoutMs, signal } = options;
  if (timeoutMs !== undefined && !(Number.isFinite(timeoutMs) && timeoutMs >= 1))
    return configInvalid(`${op}: timeoutMs is ${String(timeoutMs)}; allowed: 1 or more`);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    return configInvalid(`${op}: signal is ${describeType(signal)}; allowed: an AbortSignal`);
  return null;
}

function describeType(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
