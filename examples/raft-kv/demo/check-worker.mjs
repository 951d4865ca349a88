/** The thread of `check-in-worker.ts`. It loads TypeScript by itself, because it is also started where no loader runs. */
import { parentPort, workerData } from "node:worker_threads";
import { tsImport } from "tsx/esm/api";

const checker = await tsImport(
  "../../../test/support/linearizability/check-linearizable.ts",
  import.meta.url,
);
const { history, ...limits } = workerData;
const clock = { now: () => performance.now() };
parentPort.postMessage(checker.checkLinearizable(history, { ...limits, clock }));
