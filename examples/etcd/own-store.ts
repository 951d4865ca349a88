import type { KeyValue, PutRequest, RangeRequest, RequestOp, TxnRequest } from "./kv-stub.js";

interface Entry {
  value: Buffer;
  version: number;
  createRevision: number;
  modRevision: number;
}

/** One key, a range [key, range_end), versions and revisions as etcd counts them; in memory, gone with its process. */
export class OwnStore {
  readonly #entries = new Map<string, Entry>();
  #revision = 1;

  range(request: RangeRequest): object {
    const from = latin1(request.key);
    const to = request.range_end?.length ? latin1(request.range_end) : undefined;
    const isWanted = (key: string): boolean => (to === undefined ? key === from : key >= from && key < to);
    const keys = [...this.#entries.keys()].filter(isWanted).sort();
    return { header: this.#header(), kvs: keys.map((key) => this.#keyValue(key)), count: keys.length };
  }

  put(request: PutRequest): object {
    this.#revision += 1;
    const key = latin1(request.key);
    const old = this.#entries.get(key);
    this.#entries.set(key, {
      value: request.value,
      version: (old?.version ?? 0) + 1,
      createRevision: old?.createRevision ?? this.#revision,
      modRevision: this.#revision,
    });
    return { header: this.#header() };
  }

  /** Knows one comparison, "this key has that version", which is how one asks etcd whether a key exists. */
  txn(request: TxnRequest): object {
    const succeeded = (request.compare ?? []).every(
      (each) => String(this.#entries.get(latin1(each.key))?.version ?? 0) === (each.version ?? "0"),
    );
    const operations = (succeeded ? request.success : request.failure) ?? [];
    return { header: this.#header(), succeeded, responses: operations.map((each) => this.#apply(each)) };
  }

  #apply(operation: RequestOp): object {
    return operation.request_put
      ? { response_put: this.put(operation.request_put) }
      : { response_range: this.range(operation.request_range ?? { key: Buffer.alloc(0) }) };
  }

  #keyValue(key: string): Omit<KeyValue, "lease"> {
    const entry = this.#entries.get(key)!;
    return {
      key: Buffer.from(key, "latin1"),
      value: entry.value,
      version: String(entry.version),
      create_revision: String(entry.createRevision),
      mod_revision: String(entry.modRevision),
    };
  }

  #header(): object {
    return { revision: this.#revision };
  }
}

/** Keys are bytes: latin1 keeps each of them, and their order. */
function latin1(bytes: Buffer): string {
  return bytes.toString("latin1");
}
