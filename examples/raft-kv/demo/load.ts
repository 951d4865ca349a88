import { setTimeout as sleep } from "node:timers/promises";
import { type Clerk, ResilienceError } from "holdfast";
import type { HistoryRecorder } from "../../../test/support/linearizability/history-recorder.js";
import type { Operation, OperationSource } from "./operations.js";
import type { Tally } from "./tally.js";

/** What the sessions work with. */
export interface LoadParts {
  readonly clerk: Pick<Clerk, "get" | "put" | "append">;
  readonly history: HistoryRecorder;
  readonly tally: Tally;
  /** Milliseconds since the load began. */
  readonly nowMs: () => number;
  readonly thinkMs: number;
}

/** Sessions that call the Clerk, each one operation at a time, until they are stopped. */
export class Load {
  readonly #parts: LoadParts;
  readonly #sessions: Promise<void>[];
  readonly #keys = new Set<string>();
  readonly #stopping = new AbortController();

  constructor(parts: LoadParts, sources: readonly OperationSource[]) {
    this.#parts = parts;
    this.#sessions = sources.map((source, index) => this.#work(source, index + 1));
  }

  /** Every key that was used so far. */
  get keys(): ReadonlySet<string> {
    return this.#keys;
  }

  /** Starts no more operations and wakes the sessions that rest. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Starts no more operations and waits for those in flight. */
  async finish(): Promise<void> {
    this.stop();
    await Promise.all(this.#sessions);
  }

  async #work(source: OperationSource, session: number): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const operation = source.next();
      this.#keys.add(operation.key);
      await this.#call(operation, session);
      // It rejects when the load stops, and then the loop ends.
      await sleep(this.#parts.thinkMs, undefined, { signal }).catch(() => {});
    }
  }

  async #call(operation: Operation, session: number): Promise<void> {
    const { clerk, tally, nowMs } = this.#parts;
    const startedAtMs = nowMs();
    try {
      await record(this.#parts.history, session, operation, () => perform(clerk, operation));
      tally.acknowledge(startedAtMs, nowMs());
    } catch (error) {
      tally.fail(error);
    }
  }
}

/** One call with its outcome in the history; rejects as the call does. */
export function record(
  history: HistoryRecorder,
  session: number,
  operation: Operation,
  call: () => Promise<string | undefined>,
): Promise<string | undefined> {
  return history.run({ session, ...operation }, call, (error) =>
    error instanceof ResilienceError && error.processed === "no" ? "drop" : "unknown",
  );
}

async function perform(clerk: LoadParts["clerk"], operation: Operation): Promise<string | undefined> {
  if (operation.kind === "get") return clerk.get(operation.key);
  await clerk[operation.kind](operation.key, operation.value);
  return undefined;
}
