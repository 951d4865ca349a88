import { once } from "node:events";

/** The result of the work, or the reason of the signal as soon as that is aborted; the work itself goes on. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const ended = new AbortController();
  const aborted = once(signal, "abort", { signal: ended.signal }).then(() => {
    throw signal.reason;
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    // Takes the listener off; what that rejects with has lost the race, so nobody sees it.
    ended.abort();
  }
}
