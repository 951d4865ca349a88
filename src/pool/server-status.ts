import type { StatusObject } from "@grpc/grpc-js";

/**
 * True for a status in one frame with its headers (Trailers-Only): it carries the server's content type, while those
 * that grpc-js makes up carry nothing.
 */
export function isTrailersOnly(status: StatusObject): boolean {
  return status.metadata.get("content-type").length > 0;
}
