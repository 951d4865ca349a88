import type { Reason } from "../core/index.js";
import type { Subchannel } from "./subchannel.js";

/** Why no endpoint could be picked, in the words of the caller's error. Code is always UNAVAILABLE. */
export interface PickFailure {
  readonly kind: "failure";
  readonly reason: Reason;
  readonly details: string;
}

export function pickFailure(reason: Reason, details: string): PickFailure {
  return { kind: "failure", reason, details };
}

/**
 * Why a pick found nothing (R106): queue while something may still come, fail when nothing will.
 * @param unknownSet why no endpoint set is known, or null
 */
export function explainMiss(
  target: string,
  subchannels: readonly Subchannel[],
  unknownSet: PickFailure | null,
  isWaitingForReady: boolean,
  now: number,
): PickFailure | "queue" {
  const ready = subchannels.filter(({ word }) => word === "READY");
  if (isWaitingForReady || ready.some(({ gate }) => gate.admits())) return "queue";
  if (subchannels.some(({ aggregateWord: word }) => word === "CONNECTING" || word === "IDLE")) return "queue";
  if (ready.length > 0) return circuitOpen(target, ready, now);
  if (subchannels.length > 0) return dialsFailed(target, subchannels);
  return unknownSet ?? "queue";
}

/** All endpoints failed to connect: names the last concrete error (R111). */
function dialsFailed(target: string, subchannels: readonly Subchannel[]): PickFailure {
  const count =
    subchannels.length === 1 ? "its endpoint is not" : `none of ${subchannels.length} endpoints is`;
  return pickFailure("DIAL_FAILED", `${target}: ${count} connected${lastErrorOf(subchannels)}`);
}

/** The newest connection error among these, as the end of a sentence. */
function lastErrorOf(subchannels: readonly Subchannel[]): string {
  let newest: Subchannel | null = null;
  for (const subchannel of subchannels) {
    if ((subchannel.lastError?.at ?? 0) > (newest?.lastError?.at ?? 0)) newest = subchannel;
  }
  return newest === null ? "" : `; last error: ${newest.endpoint.address}: ${newest.lastError?.text}`;
}

/** Every endpoint that is connected has an open breaker. */
function circuitOpen(target: string, subchannels: readonly Subchannel[], now: number): PickFailure {
  const open = subchannels.filter((subchannel) => !subchannel.gate.admits());
  const retryAts = open.map((subchannel) => subchannel.gate.retryAt).filter((at) => at !== null);
  const retry =
    retryAts.length === 0
      ? "a probe is under way"
      : `next probe in ${Math.max(0, Math.round(Math.min(...retryAts) - now))} ms`;
  const names = open.slice(0, 3).map((subchannel) => subchannel.endpoint.address);
  return pickFailure(
    "CIRCUIT_OPEN",
    `${target}: the circuit breaker is open for ${names.join(", ")}; ${retry}`,
  );
}

/** What a queued call waits for, as the end of the sentence "no endpoint was ready ...". */
export function whatIsMissing(subchannels: readonly Subchannel[], maxStreams: number): string {
  if (subchannels.length === 0) return "no endpoints are known";
  const counts = new Map<string, number>();
  let full = 0;
  for (const { word, connection } of subchannels) {
    if (connection !== null && connection.inFlight >= maxStreams) full++;
    else counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const parts = [...counts].map(([word, count]) => `${count} ${word}`);
  if (full > 0) parts.push(`${full} at the limit of ${maxStreams} streams`);
  const broken = subchannels.filter(({ word }) => word !== "READY");
  const total = subchannels.length === 1 ? "1 endpoint" : `${subchannels.length} endpoints`;
  return `${total}: ${parts.join(", ")}${lastErrorOf(broken)}`;
}
