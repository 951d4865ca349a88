import type { Metadata } from "@grpc/grpc-js";

/** Headers that HTTP/2 forbids or that its framing owns. */
const FORBIDDEN: ReadonlySet<string> = new Set([
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** Headers of which Node's HTTP/2 takes one value only, as far as callers set them. */
const SINGLE: ReadonlySet<string> = new Set([
  "authorization",
  "content-length",
  "content-type",
  "date",
  "from",
  "host",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "max-forwards",
  "proxy-authorization",
  "range",
  "referer",
  "te",
  "upgrade-insecure-requests",
  "user-agent",
  "x-content-type-options",
]);

/**
 * What makes metadata unfit for HTTP/2, or null. grpc-js accepts it, fails as it opens the stream, and takes the
 * connection with all other calls down: one forwarded `connection: keep-alive` would walk through a whole pool.
 */
export function metadataProblem(metadata: Metadata): string | null {
  for (const name in metadata.getMap()) {
    if (FORBIDDEN.has(name)) return `the metadata has ${name}, which HTTP/2 does not allow`;
    const values = SINGLE.has(name) ? metadata.get(name) : [];
    if (values.length > 1) return `the metadata has ${values.length} values of ${name}; allowed: 1`;
    if (name === "te" && values[0] !== "trailers") return "the metadata has te; allowed: trailers, or none";
  }
  return null;
}
