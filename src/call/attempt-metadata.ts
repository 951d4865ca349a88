import type { Metadata } from "@grpc/grpc-js";

/** Request header that tells a server how many counted attempts came before (gRFC A6). */
const PREVIOUS_ATTEMPTS_KEY = "grpc-previous-rpc-attempts";

/** The caller's metadata as one attempt sends it; the caller's own object is never changed. */
export function attemptMetadata(metadata: Metadata, previousAttempts: number, isPooled: boolean): Metadata {
  const options = metadata.getOptions();
  const isWaiting = isPooled && options.waitForReady === true;
  if (previousAttempts <= 0 && !isWaiting) return metadata;
  const own = metadata.clone();
  // The wait is ours: an inner channel that lost its connection would wait for one it is never given.
  if (isWaiting) own.setOptions({ ...options, waitForReady: false });
  if (previousAttempts > 0) own.set(PREVIOUS_ATTEMPTS_KEY, String(previousAttempts));
  return own;
}
