import type { ConnectivityWord } from "../core/index.js";

/** The state of a target from those of its endpoints (R107); null for a set not known yet. */
export function aggregateState(words: Iterable<ConnectivityWord>): ConnectivityWord | null {
  let isConnecting = false;
  let isIdle = false;
  let isEmpty = true;
  for (const word of words) {
    if (word === "READY") return "READY";
    isEmpty = false;
    isConnecting ||= word === "CONNECTING";
    isIdle ||= word === "IDLE";
  }
  if (isEmpty) return null;
  return isConnecting || isIdle ? "CONNECTING" : "TRANSIENT_FAILURE";
}
