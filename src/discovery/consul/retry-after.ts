/** The longest that is honoured: a server that asks for a day would end discovery by one header. */
const MAX_RETRY_AFTER_MS = 300_000;

/**
 * What a `Retry-After` header asks for, in seconds or as a date (RFC 9110), in ms from now; 0 for none or junk.
 * At most five minutes.
 */
export function retryAfterMs(header: string | string[] | undefined, epochMs: number): number {
  const text = (Array.isArray(header) ? header[0] : header)?.trim() ?? "";
  const ms = /^\d{1,12}(?:\.\d{1,9})?$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - epochMs;
  return ms > 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : 0;
}
