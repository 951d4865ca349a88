import type { Endpoint } from "../../core/index.js";
import { type Event, Event_EventType, type KeyValue } from "../../gen/etcdserverpb/rpc.js";
import { problemList } from "../problem-list.js";
import { endpointOf } from "./etcd-value.js";

const MAX_KEY = 80;

interface Entry {
  readonly endpoint: Endpoint | null;
  /** Why there is no endpoint; null where there is one. */
  readonly problem: string | null;
  readonly revision: bigint;
}

/** What stands under a prefix, as far as it is known; brought up to date by events. */
export class EtcdKeys {
  /** By key, its bytes as one character each, so that their order is etcd's and none is lost. */
  #entries = new Map<string, Entry>();
  /** What they come to; null when they have changed since. */
  #sum: { readonly endpoints: readonly Endpoint[]; readonly problem: string | null } | null = null;

  constructor(private readonly prefix: string) {}

  /** Everything anew. */
  replace(pairs: readonly KeyValue[]): void {
    this.#entries = new Map();
    for (const pair of pairs) this.#put(pair);
    this.#sum = null;
  }

  apply(events: readonly Event[]): void {
    for (const { type, kv } of events) {
      if (kv === undefined) continue;
      if (type === Event_EventType.DELETE) this.#entries.delete(kv.key.toString("latin1"));
      else this.#put(kv);
    }
    if (events.length > 0) this.#sum = null;
  }

  /** In the order of their keys. An address under several keys counts once, as the key written last has it. */
  get endpoints(): readonly Endpoint[] {
    return this.#summed().endpoints;
  }

  /** One sentence on the keys that hold no endpoint, or on there being none; null where all do. */
  get problem(): string | null {
    return this.#summed().problem;
  }

  #summed() {
    this.#sum ??= { endpoints: this.#list(), problem: this.#problem() };
    return this.#sum;
  }

  #problem(): string | null {
    if (this.#entries.size === 0) return `there are no keys under ${JSON.stringify(`${this.prefix}/`)}`;
    const bad = [...this.#entries].filter(([, { problem }]) => problem !== null);
    if (bad.length === 0) return null;
    const told = problemList(bad.map(([key, { problem }]) => `${shown(key)} ${problem}`));
    const count = `${bad.length} of ${this.#entries.size} keys under ${JSON.stringify(`${this.prefix}/`)}`;
    return `${count} hold no endpoint and are left out: ${told}`;
  }

  #put({ key, value, modRevision: revision }: KeyValue): void {
    const read = endpointOf(value);
    const entry =
      typeof read === "string"
        ? { endpoint: null, problem: read, revision }
        : { endpoint: read, problem: null, revision };
    this.#entries.set(key.toString("latin1"), entry);
  }

  #list(): readonly Endpoint[] {
    const sorted = [...this.#entries].sort(([a], [b]) => (a < b ? -1 : 1));
    const newest = new Map<string, { readonly endpoint: Endpoint; readonly revision: bigint }>();
    for (const [, { endpoint, revision }] of sorted) {
      if (endpoint === null) continue;
      const other = newest.get(endpoint.address);
      if (other === undefined || other.revision < revision)
        newest.set(endpoint.address, { endpoint, revision });
    }
    return [...newest.values()].map(({ endpoint }) => endpoint);
  }
}

function shown(key: string): string {
  return JSON.stringify(Buffer.from(key, "latin1").toString("utf8").slice(0, MAX_KEY));
}
