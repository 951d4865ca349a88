import type { Clerk } from "holdfast";
import {
  type AppendAudit,
  type AuditedToken,
  auditAppends,
  type CheckLimits,
  type HistoryRecorder,
  type Operation,
} from "../../../test/support/linearizability/index.js";
import { checkInWorker } from "./check-in-worker.js";
import { record } from "./load.js";
import type { Verdict } from "./report.js";

/** What the check may take; what is not decided by then counts as undecided. */
const CHECK_LIMITS = { maxMs: 60_000, maxSteps: 50_000_000 };
const READ_LIMIT_MS = 15_000;
/** For all final reads together, so that a dead cluster does not cost the limit of one for every key. */
const READ_ALL_LIMIT_MS = 30_000;
/** Appends of one sort that are named; more of them say nothing new. */
const NAMED_TOKENS = 5;

/** What the keys hold at the end, and why some could not be read. */
interface FinalValues {
  readonly values: ReadonlyMap<string, string | undefined>;
  readonly failures: readonly unknown[];
}

/**
 * Reads every key once more, with so many reads at once, and judges the whole history by what they say. A key that cannot be
 * read leaves the verdict on the others as it is.
 */
export async function verify(
  clerk: Pick<Clerk, "get">,
  history: HistoryRecorder,
  keys: readonly string[],
  readers: number,
  signal: AbortSignal,
  limits: Omit<CheckLimits, "clock"> = CHECK_LIMITS,
): Promise<Verdict> {
  const final = await readAll(clerk, history, keys, readers, signal);
  const operations = history.history();
  const { verdict, explanation } = await checkInWorker(operations, limits, signal);
  const audit = auditAppends(operations, final.values, history.notRun());
  return {
    ...countsOf(audit, [...operations, ...history.notRun()]),
    unread: final.failures.length,
    linearizable: { linearizable: true, "not-linearizable": false, undecided: null }[verdict],
    findings: [
      ...(verdict === "linearizable" ? [] : [explanation]),
      ...unreadText(final, keys.length),
      ...audit.unaudited
        .filter(({ key }) => final.values.has(key))
        .slice(0, NAMED_TOKENS)
        .map(({ key, reason }) => `key ${key} could not be audited: ${reason}`),
      ...tokenTexts(audit),
    ],
  };
}

async function readAll(
  clerk: Pick<Clerk, "get">,
  history: HistoryRecorder,
  keys: readonly string[],
  readers: number,
  stop: AbortSignal,
): Promise<FinalValues> {
  const values = new Map<string, string | undefined>();
  const failures: unknown[] = [];
  const signal = AbortSignal.any([stop, AbortSignal.timeout(READ_ALL_LIMIT_MS)]);
  const left = [...keys];
  const read = async (_: unknown, reader: number): Promise<void> => {
    for (let key = left.pop(); key !== undefined; key = left.pop()) {
      const wanted = key;
      const call = () => clerk.get(wanted, { timeoutMs: READ_LIMIT_MS, signal });
      try {
        // A session of its own in the history, named after none of the load's.
        values.set(wanted, await record(history, -1 - reader, { kind: "get", key: wanted }, call));
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: readers }, read));
  stop.throwIfAborted();
  return { values, failures };
}

type Counts = Omit<Verdict, "unread" | "linearizable" | "findings">;

/** Null for all that is counted when there were appends and none of their keys could be audited: then nothing is known. */
function countsOf(audit: AppendAudit, operations: readonly Operation[]): Counts {
  const appended = operations.filter(({ kind }) => kind === "append");
  const keys = new Set(appended.map(({ key }) => key));
  const isUnknown = keys.size > 0 && audit.unaudited.length === keys.size;
  const count = (found: readonly unknown[]) => (isUnknown ? null : found.length);
  return {
    appends: appended.length,
    lost: count(audit.lost),
    duplicated: count(audit.duplicated),
    phantom: count(audit.phantom),
    reordered: count(audit.reordered),
    foreign: count(audit.foreign),
    unaudited: audit.unaudited.length,
  };
}

function unreadText({ failures }: FinalValues, keys: number): string[] {
  if (failures.length === 0) return [];
  const [first] = failures;
  const why = first instanceof Error ? first.message : String(first);
  return [`${failures.length} of ${keys} keys could not be read at the end: ${why}`];
}

function tokenTexts({ lost, duplicated, phantom, reordered, foreign }: AppendAudit): string[] {
  const describe = <T extends AuditedToken>(tokens: readonly T[], what: (token: T) => string) =>
    tokens.slice(0, NAMED_TOKENS).map((each) => {
      const author = each.session === null ? "which nobody" : `which session ${each.session}`;
      return `"${each.token}", ${author} appended to ${each.key}, ${what(each)}`;
    });
  return [
    ...describe(lost, () => "is missing"),
    ...describe(duplicated, ({ times }) => `is there ${times} times`),
    ...describe(phantom, () => "is there, although the append was said not to have run"),
    ...describe(reordered, ({ earlier }) => `stands before "${earlier}", which the session appended earlier`),
    ...describe(foreign, () => "is there"),
  ];
}
