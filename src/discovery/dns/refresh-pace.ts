import type { Random } from "../../core/index.js";
import type { ResolvedDiscoveryOptions } from "../discovery-options.js";

const JITTER_RATIO = 0.1;
/** The unit of a TTL. One of 0 forbids to keep an answer; it does not ask for a look-up without end. */
const SHORTEST_TTL_MS = 1_000;

/**
 * Milliseconds after an answer until a name is looked up again though nobody asks, null for never: `refreshMs` +-10 %, or
 * the TTL of its records where that is shorter, + up to 10 %, as a caching server has nothing new before it is over. Never
 * less than `minIntervalMs`.
 */
export function nextLookupMs(
  ttlMs: number | null,
  { refreshMs, minIntervalMs }: Pick<ResolvedDiscoveryOptions, "refreshMs" | "minIntervalMs">,
  random: Random,
): number | null {
  if (refreshMs === null) return null;
  const roll = random.next();
  const regularMs = refreshMs * (1 - JITTER_RATIO + 2 * JITTER_RATIO * roll);
  if (ttlMs === null) return Math.max(regularMs, minIntervalMs);
  const expiryMs = Math.max(ttlMs, SHORTEST_TTL_MS) * (1 + JITTER_RATIO * roll);
  return Math.max(Math.min(regularMs, expiryMs), minIntervalMs);
}
