import type { Clock, Random } from "../../src/core/index.js";
import { ResilienceError } from "../../src/core/index.js";
import type { Clerk } from "../../src/raft-peer/index.js";
import type { HistoryRecorder } from "../support/linearizability/index.js";
import { KEYS } from "./keys.js";

export const WORKERS_PER_CLERK = 3;
const MAX_THINK_MS = 60;
/** Share of operations whose caller changes its mind, and how soon. */
const ABORT_RATIO = 0.05;
const MAX_ABORT_MS = 150;

type Step = { readonly kind: "get" | "put" | "append"; readonly key: string; readonly value: string };

/** One user: an operation, a moment to think, the next; all of it written down. */
export class Worker {
  #isStopped = false;
  #isBusy = false;
  #count = 0;

  constructor(
    private readonly session: number,
    private readonly clerk: Clerk,
    private readonly recorder: HistoryRecorder,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  get isIdle(): boolean {
    return !this.#isBusy;
  }

  start(): void {
    this.clock.setTimer(() => this.#next(), this.random.next() * MAX_THINK_MS);
  }

  stop(): void {
    this.#isStopped = true;
  }

  #next(): void {
    if (this.#isStopped) return;
    const { kind, key, value } = this.#choose();
    this.#isBusy = true;
    this.recorder
      .run(
        { session: this.session, kind, key, value },
        () => this.#do(kind, key, value, this.#signal()),
        outcome,
      )
      .catch(() => {})
      .finally(() => {
        this.#isBusy = false;
        this.start();
      });
  }

  #choose(): Step {
    const [kindRoll, keyRoll] = [this.random.next(), this.random.next()];
    const value = `${this.session}.${this.#count++};`;
    const log = at(KEYS.logs, keyRoll);
    const register = at(KEYS.registers, keyRoll);
    if (kindRoll < 0.45) return { kind: "append", key: log, value };
    if (kindRoll < 0.65) return { kind: "put", key: register, value };
    return { kind: "get", key: kindRoll < 0.8 ? log : register, value: "" };
  }

  async #do(
    kind: Step["kind"],
    key: string,
    value: string,
    options: { readonly signal?: AbortSignal },
  ): Promise<string | undefined> {
    if (kind === "get") return this.clerk.get(key, options);
    await this.clerk[kind](key, value, options);
    return undefined;
  }

  #signal(): { readonly signal?: AbortSignal } {
    const [roll, soon] = [this.random.next(), this.random.next()];
    if (roll >= ABORT_RATIO) return {};
    const controller = new AbortController();
    this.clock.setTimer(() => controller.abort(), soon * MAX_ABORT_MS);
    return { signal: controller.signal };
  }
}

/** What a Clerk says of a failed operation is part of what is checked: `no` must mean that it never ran. */
function outcome(error: unknown): "unknown" | "drop" {
  return error instanceof ResilienceError && error.processed === "no" ? "drop" : "unknown";
}

function at<T>(list: readonly T[], roll: number): T {
  return list[Math.floor(roll * list.length)] as T;
}
