import { type CallCredentials, status as Status } from "@grpc/grpc-js";
import type { Outcome } from "../core/index.js";
import type { Attempt } from "./attempt.js";
import { canRefresh } from "./refreshing-credentials.js";

/** Which issue of its refreshable credentials an attempt begins with; 0 without any. */
export function generationOf(credentials: CallCredentials | null | undefined): number {
  return canRefresh(credentials) ? credentials.generation : 0;
}

/**
 * A server that did not accept an attempt's credentials (UNAUTHENTICATED) has them fetched anew, once for all attempts
 * that went out with the same ones.
 * @returns true when there are others to be had
 */
export function refreshRefused(
  attempt: Attempt,
  outcome: Outcome,
  credentials: CallCredentials | null,
): boolean {
  if (outcome.code !== Status.UNAUTHENTICATED || outcome.origin !== "remote") return false;
  const ofCall = refresh(credentials, attempt.callGeneration);
  return refresh(attempt.slot.callCredentials, attempt.slotGeneration) || ofCall;
}

function refresh(credentials: CallCredentials | null | undefined, generation: number): boolean {
  if (!canRefresh(credentials)) return false;
  credentials.refresh(generation);
  return true;
}
