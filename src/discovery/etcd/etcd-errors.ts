import type { status } from "@grpc/grpc-js";
import { isReason, ResilienceError, saidBy } from "../../core/index.js";

const INVALID_ARGUMENT: status.INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED: status.DEADLINE_EXCEEDED = 4;
const NOT_FOUND: status.NOT_FOUND = 5;
const PERMISSION_DENIED: status.PERMISSION_DENIED = 7;
const FAILED_PRECONDITION: status.FAILED_PRECONDITION = 9;
const OUT_OF_RANGE: status.OUT_OF_RANGE = 11;
const UNAUTHENTICATED: status.UNAUTHENTICATED = 16;

/**
 * What etcd says of a token that it does not know any more, of one from before its users were changed, and of none at all:
 * not always UNAUTHENTICATED.
 */
const TOKEN_REFUSED: readonly (number | null)[] = [UNAUTHENTICATED, INVALID_ARGUMENT, PERMISSION_DENIED];

/** The gRPC status of an error; null for one of another kind. */
function codeOf(error: unknown): number | null {
  const code: unknown = error instanceof Error ? Reflect.get(error, "code") : null;
  return typeof code === "number" ? code : null;
}

export function isTokenRefused(error: unknown): boolean {
  return TOKEN_REFUSED.includes(codeOf(error));
}

/** Of a lease, that there is none of this number. */
export function isNotFound(error: unknown): boolean {
  return codeOf(error) === NOT_FOUND;
}

export function isInvalid(error: unknown): boolean {
  return codeOf(error) === INVALID_ARGUMENT;
}

/** The answer is larger than a message may be; said by our own channel, unlike etcd's "too many requests" of the same code. */
export function isTooLarge(error: unknown): boolean {
  return isReason(error, "MESSAGE_TOO_LARGE");
}

/** The revision that was asked for is gone, or has not been reached. */
export function isOutOfRange(error: unknown): boolean {
  return codeOf(error) === OUT_OF_RANGE;
}

/** Of an attempt to authenticate: etcd has its users' authentication turned off. */
export function isAuthenticationOff(error: unknown): boolean {
  return codeOf(error) === FAILED_PRECONDITION;
}

/** @param what was tried, for the sentence */
export function failed(what: string, cause: unknown): Error {
  return Object.assign(new Error(`${what} failed: ${reasonOf(cause)}`, { cause }), { code: codeOf(cause) });
}

/**
 * Of a call that failed on its way, how its last attempt did: what else our own channel says of it, its target and how often
 * it tried, is about a channel that nobody has heard of.
 */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof ResilienceError) || cause.origin !== "local") return saidBy(cause);
  const last = cause.attempts.at(-1);
  const isLate = cause.code === DEADLINE_EXCEEDED;
  if (last === undefined || (last.code !== cause.code && !isLate)) return saidBy(cause);
  const details = last.details.replace(/^static:\/\/\/\S+: /, "");
  return last.code === cause.code ? details : `${details}; then the time was over`;
}
