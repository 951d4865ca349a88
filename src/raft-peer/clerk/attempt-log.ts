import { status as Status } from "@grpc/grpc-js";
import type { AttemptRecord, Processed } from "../../core/index.js";

/** Attempts kept per operation: the last ones, because an outage is one attempt repeated. */
const KEPT = 20;

type Facts = Omit<AttemptRecord, "attempt" | "startedMs" | "ms" | "endpoint" | "next">;

/** The story of one operation's failed attempts, and what they say together. */
export class AttemptLog {
  readonly #records: AttemptRecord[] = [];
  #made = 0;
  #processed: Processed = "no";

  get made(): number {
    return this.#made;
  }

  /** Whether any attempt may have been executed. */
  get processed(): Processed {
    return this.#processed;
  }

  get records(): readonly AttemptRecord[] {
    return this.#records;
  }

  get last(): AttemptRecord | undefined {
    return this.#records.at(-1);
  }

  /** An attempt was sent. */
  began(): void {
    this.#made += 1;
  }

  failed(endpoint: string, startedMs: number, ms: number, facts: Facts, next: string): void {
    if (facts.processed !== "no") this.#processed = "maybe";
    if (this.#records.length === KEPT) this.#records.shift();
    this.#records.push({ attempt: this.#made, endpoint, startedMs, ms, ...facts, next });
  }

  /** An attempt was left, with its outcome open. */
  left(endpoint: string, startedMs: number, ms: number, why: string): void {
    const facts: Facts = {
      code: Status.CANCELLED,
      reason: "CANCELLED",
      origin: "local",
      processed: "maybe",
      details: why,
    };
    this.failed(endpoint, startedMs, ms, facts, why);
  }
}
