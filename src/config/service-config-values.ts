import { z } from "zod";

/** Seconds as gRPC's JSON has them, or milliseconds, which people write. Nanoseconds are the smallest part. */
const DURATION = /^(\d{1,20})(?:\.(\d{1,9}))?(m?s)$/;
/** gRPC's longest duration. */
const MAX_MS = 315_576_000_000_000;
const NS_PER_MS = 1_000_000;

/** A duration such as "0.5s", resolved to milliseconds. */
export const jsonDuration = () =>
  z.string().transform((text, context) => {
    const ms = parseDuration(text);
    if (ms !== null && ms <= MAX_MS) return ms;
    const message =
      'allowed: a duration such as "0.5s" or "500ms", up to 9 decimals, no sign, at most 315576000000 s';
    context.addIssue({ code: "custom", message, input: text });
    return Number.NaN;
  });

/**
 * The same, strictly above zero. What is shorter than a millisecond counts as one, the least that options take.
 *
 * @param otherwise what a zero would do
 */
export const positiveJsonDuration = (otherwise: string) =>
  jsonDuration().transform((ms, context) => {
    if (ms === 0) {
      context.addIssue({ code: "custom", message: `allowed: more than 0 s; ${otherwise}`, input: ms });
    }
    return Math.max(ms, 1);
  });

function parseDuration(text: string): number | null {
  const [, whole = "", fraction = "", unit] = DURATION.exec(text) ?? [];
  if (unit === undefined) return null;
  const [ofWhole, ofBillionth] = unit === "s" ? [1_000, NS_PER_MS] : [1, NS_PER_MS * 1_000];
  // Whole nanoseconds until the last division, so that "0.1s" is 100 and nothing near it.
  return Number(whole) * ofWhole + Number(fraction.padEnd(9, "0")) / ofBillionth;
}

/** A whole number. Not `z.int()`, whose error hides those of the rules across fields. */
export const wholeNumber = () =>
  z.number().refine(Number.isSafeInteger, { message: "allowed: a whole number" });

/** Counts have 32 bits in gRPC's schema. */
export const MAX_COUNT = 2 ** 32 - 1;

/**
 * A whole number as protobuf's JSON has it: 64 bits are written as a text.
 *
 * @param min least number allowed
 * @param max largest number allowed
 */
export const jsonWholeNumber = (min: number, max: number) =>
  z.preprocess(
    (value) => (typeof value === "string" && /^\d{1,20}$/.test(value) ? Number(value) : value),
    wholeNumber().min(min).max(max),
  );

type Given<T> = { [K in keyof T]?: NonNullable<T[K]> };

/** The fields that have a value: protobuf's JSON takes null for a field that is absent, options take neither. */
export function given<T extends object>(fields: T): Given<T> {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(present) as Given<T>;
}

/** What becomes of a value, where there is one. */
export function changed<T>(value: T | null | undefined, change: (value: T) => T): T | undefined {
  return value === null || value === undefined ? undefined : change(value);
}
