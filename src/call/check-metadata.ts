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

/** Headers by which client and server library talk to each other; set by hand they contradict what is sent. */
const RESERVED: ReadonlySet<string> = new Set([
  "grpc-accept-encoding",
  "grpc-encoding",
  "grpc-message",
  "grpc-message-type",
  "grpc-status",
  "grpc-timeout",
]);

/**
 * What makes metadata unfit for HTTP/2 or gRPC, or null. grpc-js accepts it, fails as it opens the stream, and takes
 * the connection with all other calls down: one forwarded `connection: keep-alive` would walk through a whole pool.
 * @param maxBytes names and values together; servers refuse more (8 KiB by default), some with the whole connection
 */
export function metadataProblem(metadata: Metadata, maxBytes: number): string | null {
  let bytes = 0;
  for (const name in metadata.getMap()) {
    if (FORBIDDEN.has(name)) return `the metadata has ${name}, which HTTP/2 does not allow`;
    if (RESERVED.has(name)) return `the metadata has ${name}, which is reserved: gRPC sets it itself`;
    const values = metadata.get(name);
    if (values.length > 1 && SINGLE.has(name))
      return `the metadata has ${values.length} values of ${name}; allowed: 1`;
    if (name === "te" && values[0] !== "trailers") return "the metadata has te; allowed: trailers, or none";
    for (const value of values) bytes += name.length + wireLength(value);
  }
  return bytes > maxBytes ? `the metadata has ${bytes} bytes; maxMetadataBytes allows ${maxBytes}` : null;
}

/** Binary values travel in base64. */
function wireLength(value: string | Buffer): number {
  return typeof value === "string" ? value.length : Math.ceil(value.length / 3) * 4;
}
