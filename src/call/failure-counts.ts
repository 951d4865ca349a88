import type { Outcome, Reason } from "../core/index.js";

/** How many pairs of method and endpoint are told apart; failures of further ones count together. */
const MAX_PAIRS = 1_000;

/** Failed attempts of one method on one endpoint, by what kind of failure it was. */
export interface FailureCount {
  /** Full path, `/package.Service/Method`; "other" for what came after the first 1,000 pairs. */
  readonly method: string;
  readonly endpoint: string;
  /** No answer in time. */
  readonly timeout: number;
  /** The server answered with a status that is not OK. */
  readonly rejected: number;
  /** Everything else: connections lost, requests that could not be sent, answers that could not be read. */
  readonly exception: number;
}

type Kind = "timeout" | "rejected" | "exception";

const TIMEOUTS: ReadonlySet<Reason> = new Set(["ATTEMPT_TIMEOUT", "DEADLINE_EXCEEDED"]);
const OURS: ReadonlySet<Reason> = new Set(["CANCELLED", "CLIENT_CLOSED"]);

/** Counts failed attempts by method, endpoint and kind; attempts that were cancelled are none. */
export class FailureCounts {
  readonly #byPair = new Map<string, { -readonly [K in keyof FailureCount]: FailureCount[K] }>();

  count(method: string, endpoint: string, outcome: Outcome): void {
    if (OURS.has(outcome.reason)) return;
    this.#at(method, endpoint)[kindOf(outcome)]++;
  }

  /** These endpoints are gone. */
  forget(endpoints: readonly string[]): void {
    if (endpoints.length === 0) return;
    const gone = new Set(endpoints);
    for (const [key, { endpoint }] of this.#byPair) if (gone.has(endpoint)) this.#byPair.delete(key);
  }

  list(): FailureCount[] {
    return [...this.#byPair.values()].map((count) => ({ ...count }));
  }

  #at(method: string, endpoint: string): { [K in Kind]: number } {
    const key = `${method} ${endpoint}`;
    const known = this.#byPair.get(key);
    if (known !== undefined) return known;
    if (this.#byPair.size >= MAX_PAIRS && method !== "other") return this.#at("other", "other");
    const fresh = { method, endpoint, timeout: 0, rejected: 0, exception: 0 };
    this.#byPair.set(key, fresh);
    return fresh;
  }
}

function kindOf({ reason, origin }: Outcome): Kind {
  if (TIMEOUTS.has(reason)) return "timeout";
  return origin === "remote" ? "rejected" : "exception";
}
