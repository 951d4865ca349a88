import type { Random } from "holdfast";
import type { Workload } from "./workload.js";

/** One call of the Clerk. */
export type Operation =
  | { readonly kind: "get"; readonly key: string }
  | { readonly kind: "put" | "append"; readonly key: string; readonly value: string };

/** What one session calls, one after another: fixed by the workload and the chance it is given. */
export class OperationSource {
  readonly #workload: Workload;
  readonly #random: Random;
  readonly #session: number;
  readonly #perKeySet: number;
  #count = 0;

  /** @param session number of the session, from 1 on; it makes its values its own */
  constructor(workload: Workload, random: Random, session: number, sessions: number) {
    this.#workload = workload;
    this.#random = random;
    this.#session = session;
    const keys = workload.registerKeys + workload.logKeys;
    this.#perKeySet = Math.max(1, Math.floor((keys * workload.operationsPerKey) / sessions));
  }

  next(): Operation {
    this.#count += 1;
    const { shares } = this.#workload;
    const roll = this.#random.next() * (shares.get + shares.put + shares.append);
    if (roll < shares.get) return { kind: "get", key: this.#readKey() };
    const token = `s${this.#session}-${this.#count};`;
    if (roll >= shares.get + shares.put) return { kind: "append", key: this.#logKey(), value: token };
    return { kind: "put", key: this.#registerKey(), value: token.padEnd(this.#workload.valueBytes, ".") };
  }

  /** Any key, as likely as the operations write to its sort. */
  #readKey(): string {
    const { put, append } = this.#workload.shares;
    const toLogs = put + append === 0 ? 0.5 : append / (put + append);
    return this.#random.next() < toLogs ? this.#logKey() : this.#registerKey();
  }

  #logKey(): string {
    return this.#key("log", this.#workload.logKeys);
  }

  #registerKey(): string {
    return this.#key("register", this.#workload.registerKeys);
  }

  #key(sort: string, keys: number): string {
    const keySet = Math.floor(this.#count / this.#perKeySet) + 1;
    return `${sort}-${keySet}-${Math.floor(this.#random.next() * keys) + 1}`;
  }
}
