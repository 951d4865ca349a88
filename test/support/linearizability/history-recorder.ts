import type { Clock } from "../../../src/core/index.js";
import type { Operation } from "./operation.js";

/** What a failed call left behind: maybe an effect, or provably none. */
export type Failure = "unknown" | "drop";

/** An operation under way, as `begin` hands it out. */
export interface OpenOperation {
  readonly settled: boolean;
}

class Recorded implements Operation, OpenOperation {
  result: string | undefined = undefined;
  returnedMs: number | null = null;
  returnedOrder: number | null = null;
  settled = false;
  dropped = false;

  constructor(
    readonly session: number,
    readonly kind: Operation["kind"],
    readonly key: string,
    readonly value: string,
    readonly invokedMs: number,
    readonly invokedOrder: number,
  ) {}
}

/** Writes down what clients did and when, in the order the process saw it. */
export class HistoryRecorder {
  readonly #clock: Pick<Clock, "now">;
  readonly #operations: Recorded[] = [];
  #order = 0;

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** Call this before the request leaves: an invocation noted late would forbid valid orders. */
  begin(session: number, kind: Operation["kind"], key: string, value = ""): OpenOperation {
    const operation = new Recorded(session, kind, key, value, this.#clock.now(), this.#order++);
    this.#operations.push(operation);
    return operation;
  }

  /** The operation was acknowledged, a get with its result. */
  ok(open: OpenOperation, result?: string): void {
    const operation = this.#settle(open);
    operation.result = operation.kind === "get" ? result : undefined;
    operation.returnedMs = this.#clock.now();
    operation.returnedOrder = this.#order++;
  }

  /** The operation may or may not have run, or may still run. */
  unknown(open: OpenOperation): void {
    this.#settle(open);
  }

  /** The operation provably did not run and never will. */
  drop(open: OpenOperation): void {
    this.#settle(open).dropped = true;
  }

  /** Runs one call and notes its outcome; a failure is classified, noted and thrown on. */
  async run(
    operation: Pick<Operation, "session" | "kind" | "key"> & { readonly value?: string },
    call: () => Promise<string | undefined>,
    classify: (error: unknown) => Failure,
  ): Promise<string | undefined> {
    const open = this.begin(operation.session, operation.kind, operation.key, operation.value);
    try {
      const result = await call();
      this.ok(open, result);
      return result;
    } catch (error) {
      if (!open.settled) this[classify(error)](open);
      throw error;
    }
  }

  /** What may have run, by invocation; operations still under way have an unknown outcome. */
  history(): readonly Operation[] {
    return this.#operations.filter((operation) => !operation.dropped);
  }

  /** What provably did not run, for `auditAppends`. */
  notRun(): readonly Operation[] {
    return this.#operations.filter((operation) => operation.dropped);
  }

  #settle(open: OpenOperation): Recorded {
    const operation = open as Recorded;
    if (operation.settled) {
      throw new Error(`the ${operation.kind} of key "${operation.key}" was settled twice`);
    }
    operation.settled = true;
    return operation;
  }
}
