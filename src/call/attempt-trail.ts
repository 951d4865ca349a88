import { status as Status } from "@grpc/grpc-js";
import type { AttemptRecord, Outcome, Processed, Reason } from "../core/index.js";

/** Reasons that stay what they are however many attempts came before. */
const OWN_REASONS: readonly Reason[] = [
  "REMOTE",
  "DEADLINE_EXCEEDED",
  "CANCELLED",
  "CLIENT_CLOSED",
  "MESSAGE_TOO_LARGE",
  "METADATA_INVALID",
  "NO_READY_ENDPOINT",
  "CIRCUIT_OPEN",
];

/** The story of a call: every attempt that failed, and in the end one sentence about all of them. */
export class AttemptTrail {
  readonly #records: AttemptRecord[] = [];

  get records(): readonly AttemptRecord[] {
    return this.#records;
  }

  /** Attempts after the first, transparent ones included. */
  get retries(): number {
    return Math.max(0, this.#records.length - 1);
  }

  add(record: AttemptRecord): void {
    this.#records.push(record);
  }

  /** Whether the server may have run any of the attempts. */
  processed(last: Processed): Processed {
    const all = [last, ...this.#records.map((record) => record.processed)];
    return all.includes("yes") ? "yes" : all.includes("maybe") ? "maybe" : "no";
  }

  /** The reason of the whole call, from that of its last attempt. */
  reason(last: Outcome, isThrottled: boolean): Reason {
    if (OWN_REASONS.includes(last.reason)) return last.reason;
    if (this.retries > 0) return "RETRIES_EXHAUSTED";
    return isThrottled ? "THROTTLED" : last.reason;
  }

  /** One sentence with the numbers. */
  explain(method: string, last: Outcome, elapsedMs: number): string {
    const { length } = this.#records;
    const made = length === 1 ? "1 attempt" : `${length} attempts`;
    const where = [
      ...new Set(this.#records.map(({ endpoint }) => endpoint).filter((endpoint) => endpoint !== null)),
    ];
    const on = where.length === 0 ? "" : ` on ${where.slice(0, 5).join(", ")}`;
    const final = this.#records.at(-1);
    const why = final === undefined || final.next === "" ? "" : `; ${final.next}`;
    const verdict = SENTENCES[this.processed(last.processed)];
    // The decision may have said so already.
    const ran = why.endsWith(verdict) ? "" : `; ${verdict}`;
    const code = Status[last.code] ?? String(last.code);
    return `${method}: ${code} after ${made}${on} in ${Math.round(elapsedMs)} ms: ${last.details}${why}${ran}`;
  }
}

const SENTENCES: Readonly<Record<Processed, string>> = {
  no: "the server did not run it",
  maybe: "the server may have run it",
  yes: "the server ran it",
};
