import { type CallCredentials, status as Status } from "@grpc/grpc-js";
import type { Outcome } from "../core/index.js";
import type { HedgeDecision, OtherAttempts } from "../retry/index.js";
import type { Attempt } from "./attempt.js";
import type { CredentialIssues } from "./credential-issues.js";
import { canRefresh } from "./refreshing-credentials.js";

/** What an attempt that goes out now goes out with; null where nothing can be refreshed, as is usual. */
export function issuesNow(
  ofCall: CallCredentials | null,
  ofSlot: CallCredentials | null | undefined,
): CredentialIssues | null {
  if (ofCall === null && (ofSlot === null || ofSlot === undefined)) return null;
  return { ofCall: generationOf(ofCall), ofSlot: generationOf(ofSlot) };
}

function generationOf(credentials: CallCredentials | null | undefined): number {
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
  const { issues, slot } = attempt;
  if (issues === undefined) return false;
  const isCallFresh = refresh(credentials, issues.ofCall);
  return refresh(slot.callCredentials, issues.ofSlot) || isCallFresh;
}

/** Makes an attempt of a hedged call once more that was refused for its credentials (R162). */
export class FreshCredentials {
  /** Attempts up to this one went out with those that were refused first. */
  #refusedUpTo = 0;

  /**
   * @param made attempts so far
   * @returns null where the failure says nothing of credentials that could be fetched anew, or says it of those
   */
  onFailure(
    attempt: Attempt,
    outcome: Outcome,
    credentials: CallCredentials | null,
    made: number,
    { inFlight, due }: OtherAttempts,
  ): HedgeDecision | null {
    if (!refreshRefused(attempt, outcome, credentials)) return null;
    if (this.#refusedUpTo === 0) {
      this.#refusedUpTo = made;
      return { kind: "send", why: "repeated once with fresh credentials" };
    }
    const isOld = attempt.number <= this.#refusedUpTo && inFlight + due > 0;
    return isOld ? { kind: "wait", why: "another attempt has fresh credentials" } : null;
  }
}

function refresh(credentials: CallCredentials | null | undefined, generation: number): boolean {
  if (!canRefresh(credentials)) return false;
  credentials.refresh(generation);
  return true;
}
