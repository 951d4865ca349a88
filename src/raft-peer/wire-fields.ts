/**
 * One field each way between what users see and the generated messages. All of them throw a RangeError that names the
 * field, its value and what is allowed.
 */

const SAFE_INTEGERS = `an integer from ${Number.MIN_SAFE_INTEGER} to ${Number.MAX_SAFE_INTEGER}`;
const ID_LIMIT = 2n ** 63n;
export const ALLOWED_IDS = "a bigint from 0 to 2^63-1";
/** Half of a pair: UTF-8 has no form for it. */
export const LONE_SURROGATE = /\p{Surrogate}/u;

/** Where a field stands in a list of many: spelled out only when something is wrong with it. */
export interface ListPosition {
  readonly list: string;
  readonly index: number;
}

export function toInt64(field: string, value: number, at?: ListPosition): bigint {
  if (!Number.isSafeInteger(value)) throw unfit(field, value, SAFE_INTEGERS, at);
  return BigInt(value);
}

export function fromInt64(field: string, value: bigint, at?: ListPosition): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw unfit(field, value, SAFE_INTEGERS, at);
  return number;
}

/** Client and command ids: int64 on the wire, and never negative. */
export function idOf(field: string, value: bigint): bigint {
  if (isId(value)) return value;
  throw unfit(field, value, ALLOWED_IDS);
}

export function isId(value: unknown): value is bigint {
  return typeof value === "bigint" && value >= 0n && value < ID_LIMIT;
}

export function booleanOf(field: string, value: boolean): boolean {
  if (typeof value !== "boolean") throw unfit(field, value, "true or false");
  return value;
}

/** Half a surrogate pair has no UTF-8: it would arrive as U+FFFD, and two keys could become one. */
export function textOf(field: string, value: string): string {
  if (typeof value !== "string") throw unfit(field, value, "a string");
  if (LONE_SURROGATE.test(value)) {
    throw new RangeError(`${field} has half a surrogate pair; allowed: a string that UTF-8 can carry`);
  }
  return value;
}

/** The same memory, not a copy. */
export function toBytes(field: string, value: Uint8Array, at?: ListPosition): Buffer {
  if (Buffer.isBuffer(value)) return value;
  if (!(value instanceof Uint8Array)) throw unfit(field, value, "a Uint8Array", at);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

export function unfit(field: string, value: unknown, allowed: string, at?: ListPosition): RangeError {
  const path = at === undefined ? field : `${at.list}[${at.index}].${field}`;
  return new RangeError(`${path} is ${shown(value)}; allowed: ${allowed}`);
}

/** Never the contents of a large or secret object. */
function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 80));
  if (typeof value === "function" || (typeof value === "object" && value !== null))
    return `of type ${typeof value}`;
  return typeof value === "bigint" ? `${value}` : String(value);
}
