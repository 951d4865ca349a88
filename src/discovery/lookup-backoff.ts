import type { Random } from "../core/index.js";

const INITIAL_MS = 1_000;
const MULTIPLIER = 1.6;
/** Shorter than gRPC's 120 s: nobody can call a service whose name is not resolved. */
const CAP_MS = 30_000;
const JITTER_RATIO = 0.2;

/**
 * Milliseconds to wait after that many failed lookups in a row (1 or more): 1 s x 1.6, cap 30 s, then +-20 %, the
 * shape of gRPC's "connection backoff".
 */
export function lookupBackoffMs(failures: number, random: Random): number {
  const delayMs = Math.min(INITIAL_MS * MULTIPLIER ** (failures - 1), CAP_MS);
  return delayMs * (1 - JITTER_RATIO + 2 * JITTER_RATIO * random.next());
}
