import type { FaultKind } from "../../examples/raft-kv/demo/fault-plan.js";
import { median } from "../measure/statistics.js";
import type { ClientOutage, Outage } from "./outages.js";

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** One client over all outages of a kind. */
export interface ClientSummary {
  readonly medianWorkerMs: Spread;
  readonly worstWorkerMs: Spread;
  readonly commands: Spread;
  readonly probes: Spread;
}

/** A measure against its target; the Clerk's value may be at most `limit`. */
export interface Verdict {
  readonly measure: "median worker" | "worst worker" | "requests";
  readonly relation: "ratio" | "difference";
  readonly value: number;
  readonly limit: number;
  readonly isMet: boolean;
}

export interface KindSummary {
  readonly kind: FaultKind;
  readonly outages: number;
  readonly electionMs: Spread;
  /** The largest of all. */
  readonly errorMs: number;
  readonly clerk: ClientSummary;
  readonly plain: ClientSummary;
  readonly verdicts: readonly Verdict[];
}

/** The Clerk's longest wait between two rounds of probes: 200 ms and a fifth of jitter. */
const PROBE_INTERVAL_MS = 240;
const BEYOND_RATIO = 0.5;
const REQUESTS_RATIO = 0.1;

/** All outages, kind by kind, in the order in which the kinds first came. */
export function summariseOutages(outages: readonly Outage[]): KindSummary[] {
  const kinds = [...new Set(outages.map(({ kind }) => kind))];
  return kinds.map((kind) =>
    summariseKind(
      kind,
      outages.filter((outage) => outage.kind === kind),
    ),
  );
}

/** Requests sent while leaderless in all outages together, against the same target. */
export function totalRequests(outages: readonly Outage[]): Verdict {
  return requestsVerdict(outages);
}

function summariseKind(kind: FaultKind, outages: readonly Outage[]): KindSummary {
  const clerk = summariseClient(outages.map((outage) => outage.clerk));
  const plain = summariseClient(outages.map((outage) => outage.plain));
  return {
    kind,
    outages: outages.length,
    electionMs: spread(outages.map(({ electionMs }) => electionMs)),
    errorMs: Math.max(...outages.map(({ errorMs }) => errorMs)),
    clerk,
    plain,
    verdicts: [
      beyondVerdict(kind, "median worker", clerk.medianWorkerMs.median, plain.medianWorkerMs.median),
      beyondVerdict(kind, "worst worker", clerk.worstWorkerMs.median, plain.worstWorkerMs.median),
      requestsVerdict(outages),
    ],
  };
}

function summariseClient(outages: readonly ClientOutage[]): ClientSummary {
  return {
    medianWorkerMs: spread(outages.map(({ medianMs }) => medianMs)),
    worstWorkerMs: spread(outages.map(({ worstMs }) => worstMs)),
    commands: spread(outages.map(({ commands }) => commands)),
    probes: spread(outages.map(({ probes }) => probes)),
  };
}

/** A killed server refuses at once, so that the plain client loses nothing but its sleeps: there the difference counts. */
function beyondVerdict(
  kind: FaultKind,
  measure: Verdict["measure"],
  clerkMs: number,
  plainMs: number,
): Verdict {
  return kind === "kill"
    ? verdict(measure, "difference", clerkMs - plainMs, PROBE_INTERVAL_MS)
    : verdict(measure, "ratio", clerkMs / plainMs, BEYOND_RATIO);
}

function requestsVerdict(outages: readonly Outage[]): Verdict {
  const sum = (side: "clerk" | "plain") =>
    outages.reduce((total, outage) => total + outage[side].commands + outage[side].probes, 0);
  return verdict("requests", "ratio", sum("clerk") / sum("plain"), REQUESTS_RATIO);
}

function verdict(
  measure: Verdict["measure"],
  relation: Verdict["relation"],
  value: number,
  limit: number,
): Verdict {
  return { measure, relation, value, limit, isMet: value <= limit };
}

function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}
