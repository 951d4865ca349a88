import type { Clerk } from "holdfast";
import {
  type AuditedToken,
  auditAppends,
  checkLinearizable,
  type HistoryRecorder,
} from "../../../test/support/linearizability/index.js";
import { record } from "./load.js";
import type { Verdict } from "./report.js";

/** Time that the check may take; what is not decided by then counts as undecided. */
const CHECK_LIMIT_MS = 60_000;
const READ_LIMIT_MS = 15_000;
/** Lost and doubled appends that are named; more of them say nothing new. */
const NAMED_TOKENS = 5;

/** Reads every key once more, with so many reads at once, and judges the whole history by what they say. */
export async function verify(
  clerk: Pick<Clerk, "get">,
  history: HistoryRecorder,
  keys: readonly string[],
  readers: number,
  signal: AbortSignal,
): Promise<Verdict> {
  const final = new Map<string, string | undefined>();
  const left = [...keys];
  let failure: unknown;
  const read = async (_: unknown, reader: number): Promise<void> => {
    for (let key = left.pop(); key !== undefined && failure === undefined; key = left.pop()) {
      const wanted = key;
      const call = () => clerk.get(wanted, { timeoutMs: READ_LIMIT_MS, signal });
      try {
        // A session of its own in the history, named after none of the load's.
        final.set(wanted, await record(history, -1 - reader, { kind: "get", key: wanted }, call));
      } catch (error) {
        failure = error;
      }
    }
  };
  await Promise.all(Array.from({ length: readers }, read));
  signal.throwIfAborted();
  return judge(history, final, failure);
}

function judge(
  history: HistoryRecorder,
  final: ReadonlyMap<string, string | undefined>,
  failure: unknown,
): Verdict {
  const operations = history.history();
  const clock = { now: () => performance.now() };
  const checked = checkLinearizable(operations, { clock, maxMs: CHECK_LIMIT_MS, maxSteps: 50_000_000 });
  const linearizable = { linearizable: true, "not-linearizable": false, undecided: null }[checked.verdict];
  const findings = linearizable === true ? [] : [checked.explanation];
  if (failure !== undefined) {
    const why = `not every key could be read at the end: ${(failure as Error).message}`;
    return { lost: null, duplicated: null, linearizable, findings: [...findings, why] };
  }
  const audit = auditAppends(operations, final, history.notRun());
  const unaudited = audit.unaudited.map(({ key, reason }) => `key ${key} could not be audited: ${reason}`);
  if (unaudited.length > 0)
    return { lost: null, duplicated: null, linearizable, findings: [...findings, ...unaudited] };
  const { lost, duplicated } = audit;
  const named = [...lost, ...duplicated].slice(0, NAMED_TOKENS);
  return {
    lost: lost.length,
    duplicated: duplicated.length,
    linearizable,
    findings: [...findings, ...named.map(describeToken)],
  };
}

function describeToken({ key, token, session, ...rest }: AuditedToken & { times?: number }): string {
  const what = rest.times === undefined ? "is missing" : `is there ${rest.times} times`;
  return `"${token}", which session ${session} appended to ${key}, ${what}`;
}
