import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type {
  CheckLimits,
  LinearizabilityReport,
  Operation,
} from "../../../test/support/linearizability/index.js";
import { abortable } from "../../shared/abortable.js";

const WORKER = new URL("check-worker.mjs", import.meta.url);
/** Well above what `maxMemoryStates` and the largest history of a run take. */
const MEMORY_LIMIT_MB = 2_048;

/** `verdict` and `explanation` of a check; one that broke down has decided nothing. */
export type CheckResult = Pick<LinearizabilityReport, "verdict" | "explanation">;

/**
 * The check of a history in a thread of its own: it may compute for a minute, and meanwhile the view is drawn and Ctrl-C is
 * heard.
 * @throws the reason of the signal once that is aborted; the check has ended then
 */
export async function checkInWorker(
  history: readonly Operation[],
  limits: Omit<CheckLimits, "clock">,
  signal: AbortSignal,
): Promise<CheckResult> {
  const worker = new Worker(WORKER, {
    workerData: { history, ...limits },
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_LIMIT_MB },
  });
  try {
    const [result] = (await abortable(once(worker, "message"), signal)) as [LinearizabilityReport];
    return result;
  } catch (error) {
    signal.throwIfAborted();
    return { verdict: "undecided", explanation: `the check broke down: ${(error as Error).message}` };
  } finally {
    await worker.terminate();
  }
}
