import { status } from "@grpc/grpc-js";
import { suggest } from "../core/index.js";

/** The names of the sixteen codes a call can fail with; OK is no failure. */
const FAILURE_NAMES: readonly string[] = Object.keys(status).filter(
  (key) => Number.isNaN(Number(key)) && key !== "OK",
);

/**
 * Reads a failure code given as a number or as a name in any case (R5): 14, "UNAVAILABLE" and "unavailable" are one.
 * @returns the number, or a string that says what is wrong with it.
 */
export function parseFailureCode(code: number | string): number | string {
  const shown = JSON.stringify(code);
  const name = typeof code === "string" ? code.toUpperCase() : statusName(code);
  if (name === "OK") return `${shown} is no failure, so it cannot be retried`;
  if (FAILURE_NAMES.includes(name)) return status[name as keyof typeof status];
  const hint = typeof code === "string" ? suggest(code, FAILURE_NAMES) : " (known: 1 to 16)";
  return `${shown} is not a gRPC status code${hint}`;
}

/** The name of a code, for sentences; a number outside gRPC's table stays a number. */
export function statusName(code: number): string {
  return status[code] ?? String(code);
}
