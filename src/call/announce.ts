import type { status as Status } from "@grpc/grpc-js";
import type { Outcome } from "../core/index.js";
import type { Attempt } from "./attempt.js";
import type { HistoryOwner } from "./attempt-history.js";

type Call = Pick<HistoryOwner, "env" | "path">;

/** Tells listeners that an attempt was given a place; costs nothing without listeners, as all of these. */
export function announcePick({ env, path }: Call, attempt: number, endpoint: string): void {
  if (env.events.hasListeners) env.events.emit({ type: "call.picked", method: path, attempt, endpoint });
}

/** Tells that an attempt is over. */
export function announceEnd({ env, path }: Call, attempt: Attempt, code: Status): void {
  if (!env.events.hasListeners) return;
  const { number, slot, sentBytes, receivedBytes } = attempt;
  const ms = Math.round(env.clock.now() - attempt.startedAt);
  env.events.emit({
    type: "call.attempt",
    method: path,
    attempt: number,
    endpoint: slot.address,
    code,
    ms,
    sentBytes,
    receivedBytes,
  });
}

/** Tells that an attempt is started beside others. */
export function announceHedge({ env, path }: Call, attempt: number, inFlight: number): void {
  if (env.events.hasListeners) env.events.emit({ type: "call.hedge", method: path, attempt, inFlight });
}

/** Tells that a failed attempt will be made again. */
export function announceRetry(
  { env, path }: Call,
  failed: { readonly number: number; readonly endpoint: string | null; readonly outcome: Outcome },
  kind: "transparent" | "policy",
  delayMs: number,
): void {
  if (!env.events.hasListeners) return;
  const { number, endpoint, outcome } = failed;
  const { code, reason } = outcome;
  env.events.emit({
    type: "call.retry",
    method: path,
    attempt: number,
    endpoint,
    code,
    reason,
    kind,
    delayMs: Math.round(delayMs),
  });
}
