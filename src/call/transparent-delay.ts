/** Transparent retries of one call that are made at once. */
const FREE = 20;
const FIRST_MS = 10;
const MAX_MS = 1_000;

/**
 * How long to wait before a transparent retry, in ms. R21 sets no limit to retries of what never left the client;
 * whatever makes it fail again and again must not spin, though, whatever backoff was configured.
 * @param made transparent retries of the call, the coming one included
 */
export function transparentDelayMs(made: number): number {
  return made <= FREE ? 0 : Math.min(FIRST_MS * 2 ** (made - FREE - 1), MAX_MS);
}
