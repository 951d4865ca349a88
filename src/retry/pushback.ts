/** Trailing metadata key with the server's word on when, or whether, to retry (gRFC A6, pushback; R23). */
export const PUSHBACK_KEY = "grpc-retry-pushback-ms";

/** The server's word: nothing said, do not retry, or retry after exactly `ms`. */
export type Pushback =
  | { readonly kind: "none" }
  | { readonly kind: "stop" }
  | { readonly kind: "after"; readonly ms: number };

const NONE: Pushback = Object.freeze({ kind: "none" });
const STOP: Pushback = Object.freeze({ kind: "stop" });
const MAX_INT32 = 2 ** 31 - 1;

/**
 * Reads the values of `grpc-retry-pushback-ms` (R23, R24). Only one ASCII integer from 0 to 2^31-1 asks for a retry;
 * anything else that is there, several values included, forbids one: a server that wrote it wanted less load, not more.
 */
export function parsePushback(values: readonly (string | Buffer)[]): Pushback {
  const [value] = values;
  if (value === undefined) return NONE;
  const text = value.toString();
  if (values.length > 1 || !/^-?[0-9]+$/.test(text)) return STOP;
  const ms = Number(text);
  // `+ 0` turns the -0 of "-0" into a plain zero.
  return ms >= 0 && ms <= MAX_INT32 ? { kind: "after", ms: ms + 0 } : STOP;
}
