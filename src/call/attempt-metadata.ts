import type { Metadata } from "@grpc/grpc-js";

/** Request header that tells a server how many counted attempts came before (gRFC A6). */
const PREVIOUS_ATTEMPTS_KEY = "grpc-previous-rpc-attempts";

/**
 * The caller's metadata as one attempt sends it; the caller's own object is never changed.
 *
 * @param isWaitingForReady whether the call waits, by whatever source says so
 */
export function attemptMetadata(
  metadata: Metadata,
  previousAttempts: number,
  isPooled: boolean,
  isWaitingForReady: boolean,
): Metadata {
  const options = metadata.getOptions();
  // A pool waits by itself: an inner channel that lost its connection would wait for one it is never given. A stub's own
  // channel knows of no other source than the metadata.
  const waitForReady = !isPooled && isWaitingForReady;
  const isOther = (options.waitForReady === true) !== waitForReady;
  if (previousAttempts <= 0 && !isOther) return metadata;
  const own = metadata.clone();
  if (isOther) own.setOptions({ ...options, waitForReady });
  if (previousAttempts > 0) own.set(PREVIOUS_ATTEMPTS_KEY, String(previousAttempts));
  return own;
}
