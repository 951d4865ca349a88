import { defaultMaxListeners, getMaxListeners, setMaxListeners } from "node:events";

/**
 * Hears a signal's abort, once. A signal that many calls share, such as that of a shutdown, is no leak, so Node is not to
 * warn of one; a limit that its owner has set stays.
 * @returns what stops hearing
 */
export function onAbort(signal: AbortSignal, run: () => void): () => void {
  if (warnsOfLeaks(signal)) setMaxListeners(Number.POSITIVE_INFINITY, signal);
  signal.addEventListener("abort", run, { once: true });
  return () => signal.removeEventListener("abort", run);
}

function warnsOfLeaks(signal: AbortSignal): boolean {
  try {
    return getMaxListeners(signal) === defaultMaxListeners;
  } catch {
    // Node 20 throws where the limit is 0, and for what only behaves as a signal: neither warns.
    return false;
  }
}
