import type { ServerStatus } from "../clerk-api.js";
import type { StatusAnswer } from "./status-round.js";

/** One row of `clerk.status()`. */
export function serverStatus(address: string, answer: StatusAnswer): ServerStatus {
  if (answer.ok) return { address, ...answer.status, error: null };
  const nothing = { id: 0, term: 0, lastApplied: 0, commitIndex: 0, storageBytes: 0 };
  return { address, ...nothing, state: "Offline", error: answer.details };
}
