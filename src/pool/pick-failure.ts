import type { Clock, Reason } from "../core/index.js";
import type { Obstacle } from "./standing.js";
import type { Subchannel } from "./subchannel.js";

/** Why no endpoint could be picked, in the words of the caller's error. Code is always UNAVAILABLE. */
export interface PickFailure {
  readonly kind: "failure";
  readonly reason: Reason;
  readonly details: string;
  /** Epoch ms from which on a probe will be let through; absent where nothing is known of it. */
  readonly retryAt?: number;
}

export function pickFailure(reason: Reason, details: string): PickFailure {
  return { kind: "failure", reason, details };
}

/**
 * Why a pick found nothing (R106) when nothing may come soon.
 * @param unknownSet why no endpoint set is known, or null
 */
export function explainMiss(
  target: string,
  subchannels: readonly Subchannel[],
  unknownSet: PickFailure | null,
  path: string,
  clock: Clock,
): PickFailure | "queue" {
  const ready = subchannels.filter(({ state }) => state === "READY");
  const serving = ready.filter(({ aggregateState }) => aggregateState === "READY");
  if (serving.some(({ standing }) => standing.admits(path))) return "queue";
  if (serving.length > 0) return circuitOpen(target, serving, path, clock);
  if (ready.length > 0) return notServing(target, ready);
  const barred = subchannels.filter(
    ({ aggregateState, standing }) => aggregateState !== "TRANSIENT_FAILURE" && !standing.admits(path),
  );
  if (barred.length > 0) return circuitOpen(target, barred, path, clock);
  if (subchannels.length > 0) return dialsFailed(target, subchannels);
  return unknownSet ?? "queue";
}

/** Connected, but unwell by their own word. */
function notServing(target: string, subchannels: readonly Subchannel[]): PickFailure {
  const words = subchannels.slice(0, 3).map(({ endpoint, trouble }) => `${endpoint.address} says ${trouble}`);
  return pickFailure("NO_READY_ENDPOINT", `${target}: no endpoint is healthy: ${words.join(", ")}`);
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

/** Every endpoint that is connected is kept out of use, by its breaker or as an outlier. */
function circuitOpen(
  target: string,
  subchannels: readonly Subchannel[],
  path: string,
  clock: Clock,
): PickFailure {
  const out = subchannels.filter(({ standing }) => !standing.admits(path));
  const obstacles = out.map(({ standing }) => standing.obstacle(path));
  const names = out
    .slice(0, 3)
    .map(({ endpoint }) => endpoint.address)
    .join(", ");
  const isEjected = out.every(({ standing }) => standing.tally.isEjected);
  return obstructed(obstacles, clock, (next) =>
    isEjected
      ? `${target}: no endpoint is in use: ${names} failed more than the others`
      : `${target}: the circuit breaker is open for ${names}; ${next}`,
  );
}

/**
 * What keeps calls away, and when the first of it lets a probe through.
 * @param details the sentence, which ends with what comes next
 */
export function obstructed(
  obstacles: readonly Obstacle[],
  clock: Clock,
  details: (next: string) => string,
): PickFailure {
  const retryAts = obstacles.map(({ retryAt }) => retryAt).filter((at) => at !== null);
  if (retryAts.length === 0) return pickFailure("CIRCUIT_OPEN", details(obstacles[0]?.why ?? ""));
  const inMs = Math.max(0, Math.round(Math.min(...retryAts) - clock.now()));
  const failure = pickFailure("CIRCUIT_OPEN", details(`next probe in ${inMs} ms`));
  return { ...failure, retryAt: clock.epoch() + inMs };
}

/** What a queued call waits for, as the end of the sentence "no endpoint was ready ...". */
export function whatIsMissing(
  subchannels: readonly Subchannel[],
  maxStreams: number,
  whyEmpty = () => "no endpoints are known",
): string {
  if (subchannels.length === 0) return whyEmpty();
  const counts = new Map<string, number>();
  let full = 0;
  for (const subchannel of subchannels) {
    const { state } = subchannel;
    if (state === "READY" && subchannel.free(true) === null) full++;
    else counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  const parts = [...counts].map(([state, count]) => `${count} ${state}`);
  if (full > 0) parts.push(`${full} at the limit of ${maxStreams} streams`);
  const broken = subchannels.filter(({ state }) => state !== "READY");
  const total = subchannels.length === 1 ? "1 endpoint" : `${subchannels.length} endpoints`;
  return `${total}: ${parts.join(", ")}${lastErrorOf(broken)}`;
}
