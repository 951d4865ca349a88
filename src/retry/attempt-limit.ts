/** Longest default limit of one attempt, in ms. */
const MAX_DEFAULT_MS = 5_000;

/** What a method sends and receives. */
interface Kind {
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

/**
 * Limit of one attempt in ms (R54): as configured, else a share of the call's time for idempotent unary calls.
 * @param configuredMs null for none, undefined for the default rule
 * @param attemptsInTurn how many attempts may follow each other
 */
export function attemptLimitMs(
  configuredMs: number | null | undefined,
  kind: Kind,
  isIdempotent: boolean,
  attemptsInTurn: number,
  callTimeMs: number,
): number {
  if (kind.responseStream || configuredMs === null) return Number.POSITIVE_INFINITY;
  if (configuredMs !== undefined) return configuredMs;
  if (kind.requestStream || !isIdempotent || attemptsInTurn <= 1) return Number.POSITIVE_INFINITY;
  return Math.min(callTimeMs / attemptsInTurn, MAX_DEFAULT_MS);
}
