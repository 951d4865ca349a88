import type { MethodDefinition } from "@grpc/grpc-js";
import type { ChannelFactory, RpcChannel, RpcOptions, RpcStreamListener } from "../../../src/core/index.js";
import {
  type Event,
  Event_EventType,
  KeyValue,
  RangeRequest,
  type RangeResponse,
  type ResponseHeader,
  type WatchRequest,
  WatchResponse,
} from "../../../src/gen/etcdserverpb/rpc.js";
import type { ManualClock } from "../../support/manual-clock.js";

type Reply = Record<string, unknown>;
/** What the next call of a method does in place of what it should. */
type Fault = Error | "silence";

interface OpenStream {
  readonly method: string;
  readonly listener: RpcStreamListener<unknown>;
  isWatching: boolean;
}

/** An error as grpc-js makes it. */
export function grpcError(code: number, details: string): Error {
  return Object.assign(new Error(`${code}: ${details}`), { code, details });
}

/** etcd as its clients see it, in memory and under the test's control: one store, with its history since the last compaction. */
export class FakeEtcd {
  /** Every call, in order: `Range users/ (2000)`, `Watch users/ from 2`, `Progress`, `LeaseGrant 15`. */
  readonly asked: string[] = [];
  /** Metadata of each of them but `Progress`. */
  readonly metadata: Readonly<Record<string, string>>[] = [];
  readonly header = { clusterId: 7n, memberId: 1n, revision: 1n, raftTerm: 2n };
  /** Of a member that has fallen behind, how far its watches have got; null for as far as the store. */
  watchHeader: Partial<ResponseHeader> | null = null;
  /** Answers to `Progress` are held back: the peer of the stream is gone. */
  isMute = false;
  /** The password that logs in; null while authentication is off. */
  password: string | null = null;
  token = "token-1";
  leases = 0n;
  /** Leases that live. */
  readonly alive = new Set<bigint>();
  /** Called after each page that is read. */
  afterRange: (() => void) | null = null;
  channels = 0;
  readonly targets: string[] = [];
  readonly #keys = new Map<string, KeyValue>();
  #history: Event[] = [];
  #compacted = 0n;
  readonly #faults: { readonly method: string; readonly fault: Fault }[] = [];
  readonly #streams = new Set<OpenStream>();

  constructor(private readonly clock: ManualClock) {}

  get streams(): number {
    return this.#streams.size;
  }

  get(key: string): string | undefined {
    return this.#keys.get(key)?.value.toString();
  }

  leaseOf(key: string): bigint | undefined {
    return this.#keys.get(key)?.lease;
  }

  /** Changes keys, all in one revision: a text puts it, null deletes it. Those who watch hear of it in one message. */
  change(changes: Readonly<Record<string, string | null>>, lease = 0n): void {
    this.header.revision++;
    const modRevision = this.header.revision;
    const events = Object.entries(changes).map(([key, value]): Event => {
      const pair = KeyValue.create({
        key: Buffer.from(key),
        value: Buffer.from(value ?? ""),
        modRevision,
        lease,
      });
      if (value === null) this.#keys.delete(key);
      else this.#keys.set(key, pair);
      return { type: value === null ? Event_EventType.DELETE : Event_EventType.PUT, kv: pair };
    });
    this.#history.push(...events);
    this.tell({ events });
  }

  /** Sends every watch a message. */
  tell(response: Partial<WatchResponse>): void {
    for (const stream of this.#streams) if (stream.isWatching) this.#send(stream, response);
  }

  /** What the next call of the method does. */
  next(method: string, ...faults: Fault[]): void {
    this.#faults.push(...faults.map((fault) => ({ method, fault })));
  }

  /** Events up to now are gone. */
  compact(): void {
    this.#compacted = this.header.revision;
    this.#history = [];
  }

  breakStreams(error: Error | null): void {
    for (const stream of this.#streams) this.#end(stream, error);
  }

  /** The servers come back with nothing of what they knew. */
  startAnew(): void {
    this.breakStreams(grpcError(14, "connection lost"));
    this.#keys.clear();
    this.#history = [];
    this.header.revision = 1n;
  }

  endLease(lease: bigint): void {
    this.alive.delete(lease);
    const gone = [...this.#keys]
      .filter(([, pair]) => pair.lease === lease)
      .map(([key]) => [key, null] as const);
    if (gone.length > 0) this.change(Object.fromEntries(gone));
  }

  readonly openChannel: ChannelFactory = (target): RpcChannel => {
    this.channels++;
    this.targets.push(target);
    const own = new Set<OpenStream>();
    let isOpen = true;
    const closing = new AbortController();
    return {
      unary: (method, request, options) => this.#unary(method, request, options, closing.signal),
      stream: (method, listener, options) => {
        this.#note(nameOf(method), options);
        const stream: OpenStream = { method: nameOf(method), listener: listener as never, isWatching: false };
        own.add(stream);
        this.#streams.add(stream);
        const fault = this.#fault(stream.method);
        if (fault instanceof Error) queueMicrotask(() => this.#end(stream, fault));
        return {
          send: (message) => {
            if (fault === undefined && this.#streams.has(stream)) this.#onMessage(stream, message as never);
          },
          cancel: () => void this.#streams.delete(stream),
        };
      },
      close: () => {
        if (isOpen) this.channels--;
        isOpen = false;
        closing.abort();
        for (const stream of own) queueMicrotask(() => this.#end(stream, grpcError(1, "closed")));
      },
    };
  };

  async #unary<Request, Response>(
    definition: MethodDefinition<Request, Response>,
    request: Request,
    options: RpcOptions & { readonly timeoutMs: number },
    closing: AbortSignal,
  ): Promise<Response> {
    const method = nameOf(definition);
    this.#note(method, options);
    const fault = this.#fault(method);
    this.asked.push(said(method, request as Reply));
    if (fault === "silence") return this.#silence(options.timeoutMs, closing);
    await Promise.resolve();
    if (fault !== undefined) throw fault;
    if (method !== "Authenticate" && this.password !== null && options.metadata?.["token"] !== this.token) {
      throw grpcError(16, "etcdserver: invalid auth token");
    }
    const answer = this.#answer(method, request as never) as Response;
    if (method === "Range") this.afterRange?.();
    return answer;
  }

  #answer(method: string, request: Reply): unknown {
    const header = { ...this.header };
    switch (method) {
      case "Range":
        return this.#range(RangeRequest.create(request));
      case "Put": {
        const lease = request["lease"] as bigint;
        if (!this.alive.has(lease)) throw grpcError(5, "etcdserver: requested lease not found");
        this.change({ [String(request["key"])]: String(request["value"]) }, lease);
        return { header };
      }
      case "DeleteRange":
        this.change({ [String(request["key"])]: null });
        return { header, deleted: 1n };
      case "LeaseGrant":
        this.alive.add(++this.leases);
        return { header, ID: this.leases, TTL: request["TTL"], error: "" };
      case "LeaseRevoke":
        if (!this.alive.has(request["ID"] as bigint))
          throw grpcError(5, "etcdserver: requested lease not found");
        this.endLease(request["ID"] as bigint);
        return { header };
      case "Authenticate":
        if (this.password === null) throw grpcError(9, "etcdserver: authentication is not enabled");
        if (request["password"] !== this.password) {
          throw grpcError(3, "etcdserver: authentication failed, invalid user ID or password");
        }
        return { header, token: this.token };
      default:
        throw new Error(`the fake does not know ${method}`);
    }
  }

  #range({ key, rangeEnd, limit, revision }: RangeRequest): RangeResponse {
    if (revision > 0n && revision < this.#compacted)
      throw grpcError(11, "etcdserver: mvcc: required revision has been compacted");
    const end = rangeEnd.length === 0 ? `${key}\0` : String(rangeEnd);
    const found = [...this.#keys].filter(([name]) => name >= String(key) && name < end).sort(byName);
    const page = limit === 0n ? found : found.slice(0, Number(limit));
    const kvs = page.map(([, pair]) => pair);
    return { header: { ...this.header }, kvs, more: page.length < found.length, count: BigInt(found.length) };
  }

  #onMessage(stream: OpenStream, message: WatchRequest & { readonly ID?: bigint }): void {
    if (stream.method === "LeaseKeepAlive") {
      const lease = message.ID ?? 0n;
      this.asked.push(`LeaseKeepAlive ${lease}`);
      const TTL = this.alive.has(lease) ? 15n : 0n;
      queueMicrotask(() => stream.listener.onMessage({ header: this.header, ID: lease, TTL }));
    } else if (message.createRequest !== undefined) {
      const { key, startRevision } = message.createRequest;
      this.asked.push(`Watch ${key} from ${startRevision}`);
      this.#startWatch(stream, startRevision);
    } else {
      this.asked.push("Progress");
      if (!this.isMute) this.#send(stream, {});
    }
  }

  #startWatch(stream: OpenStream, from: bigint): void {
    const header = { ...this.header, ...this.watchHeader };
    this.#send(stream, { created: true, header });
    if (from <= this.#compacted) {
      this.#send(stream, { canceled: true, compactRevision: this.#compacted });
      return;
    }
    stream.isWatching = true;
    const events = this.#history.filter(({ kv }) => (kv?.modRevision ?? 0n) >= from);
    if (events.length > 0) this.#send(stream, { events });
  }

  #send(stream: OpenStream, response: Partial<WatchResponse>): void {
    const message = WatchResponse.create({ header: { ...this.header }, ...response });
    queueMicrotask(() => {
      if (this.#streams.has(stream)) stream.listener.onMessage(message);
    });
  }

  #end(stream: OpenStream, error: Error | null): void {
    if (this.#streams.delete(stream)) stream.listener.onEnd(error);
  }

  #note(method: string, { metadata = {} }: RpcOptions = {}): void {
    this.metadata.push({ method, ...metadata });
  }

  #fault(method: string): Fault | undefined {
    const at = this.#faults.findIndex((entry) => entry.method === method);
    return at < 0 ? undefined : this.#faults.splice(at, 1)[0]?.fault;
  }

  #silence(timeoutMs: number, closing: AbortSignal): Promise<never> {
    return new Promise((_resolve, reject) => {
      const late = grpcError(4, `no answer within ${timeoutMs} ms`);
      const timer = this.clock.setTimer(() => reject(late), timeoutMs);
      closing.addEventListener("abort", () => {
        timer.cancel();
        reject(grpcError(1, "closed"));
      });
    });
  }
}

function nameOf({ path }: { readonly path: string }): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function said(method: string, request: Reply): string {
  const { key, limit, ID, TTL, name, password } = request;
  const rest = {
    Range: `${key} (${limit})`,
    Authenticate: `${name} ${password}`,
    LeaseGrant: TTL,
    LeaseRevoke: ID,
  };
  return `${method} ${Object.hasOwn(rest, method) ? Reflect.get(rest, method) : key}`;
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
