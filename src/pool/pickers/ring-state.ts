import type { ConnectivityWord } from "../../core/index.js";

/**
 * State of a channel whose endpoints stand on a ring (gRFC A42): as calls need one endpoint each, and connect it
 * themselves, one that failed is no failure of the channel yet.
 *
 * @returns TRANSIENT_FAILURE where there are no endpoints
 */
export function ringState(states: readonly ConnectivityWord[]): ConnectivityWord {
  const failed = states.filter((state) => state === "TRANSIENT_FAILURE").length;
  if (states.includes("READY")) return "READY";
  if (failed >= 2) return "TRANSIENT_FAILURE";
  if (states.includes("CONNECTING")) return "CONNECTING";
  if (failed === 1 && states.length > 1) return "CONNECTING";
  return states.includes("IDLE") ? "IDLE" : "TRANSIENT_FAILURE";
}
