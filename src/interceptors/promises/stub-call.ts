import type { EventEmitter } from "node:events";
import { type Client, Metadata, status as Status } from "@grpc/grpc-js";
import { saidBy } from "../../core/index.js";
import type { CallPlan } from "./call-plan.js";
import type { CallListener, OpenCall, ToldStatus } from "./open-call.js";
import type { MethodKind } from "./stub-methods.js";

/** What the stub's methods return, whichever kind they are of. */
type RawCall = EventEmitter & {
  cancel?(): void;
  write?(message: unknown, callback: () => void): boolean;
  end?(): void;
  read?(): unknown;
};

const OK: ToldStatus = { code: Status.OK, details: "", metadata: new Metadata() };

/**
 * A call through the stub's own method, for everything that somebody put between it and the channel: interceptors,
 * a method of the user's own, a tracer's wrapper.
 */
export class StubCall implements OpenCall {
  readonly #kind: MethodKind;
  readonly #listener: CallListener;
  #raw: RawCall | null = null;
  #isWanted = false;
  #isPulling = false;
  #isOver = false;

  constructor(
    stub: Client,
    kind: MethodKind,
    { metadata, options }: Pick<CallPlan, "metadata" | "options">,
    listener: CallListener,
    request: unknown,
  ) {
    this.#kind = kind;
    this.#listener = listener;
    const args = kind.requestStream ? [metadata, options] : [request, metadata, options];
    if (!kind.responseStream) args.push(this.#onReply);
    try {
      const method = Reflect.get(stub, kind.name) as (...args: unknown[]) => RawCall | undefined;
      const raw = method.apply(stub, args);
      this.#raw = raw ?? null;
      // A stub made for a test may know no more than to call back.
      if (raw !== undefined || kind.responseStream) this.#watch(raw as RawCall);
    } catch (cause) {
      this.#onThrown(cause);
    }
  }

  send(message: unknown): void {
    try {
      this.#raw?.write?.(message, () => this.#listener.onSent());
    } catch (cause) {
      const details = `The message cannot be written: ${saidBy(cause)}`;
      this.#listener.fail({ code: Status.INTERNAL, details, reason: "CONFIG_INVALID", cause });
    }
  }

  halfClose(): void {
    this.#raw?.end?.();
  }

  read(): void {
    this.#isWanted = true;
    this.#pull();
  }

  cancel(): void {
    this.#raw?.cancel?.();
  }

  /** grpc-js tells a status right after whatever else it tells of the end; stubs made for tests may tell none. */
  #watch(raw: RawCall): void {
    raw.on("metadata", (headers: Metadata) => this.#listener.onHeaders(headers));
    raw.on("status", (status: ToldStatus) => this.#finish(status));
    if (!this.#kind.responseStream) return;
    raw.on("error", (error: unknown) => queueMicrotask(() => this.#finish(statusOf(error))));
    raw.on("readable", () => this.#pull());
    raw.on("end", () => queueMicrotask(() => this.#finish(OK)));
  }

  readonly #onReply = (error: unknown, reply?: unknown): void => {
    if (this.#isOver) return;
    if (error !== null && error !== undefined) return this.#finish(statusOf(error));
    if (reply !== null && reply !== undefined) this.#listener.onMessage(reply, 0);
    queueMicrotask(() => this.#finish(OK));
  };

  /** What the stream has read ahead goes first: writers must not wait for the reader to learn of the end. */
  #finish(status: ToldStatus): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (let message = this.#take(); message !== null; message = this.#take()) {
      this.#listener.onMessage(message, Number.POSITIVE_INFINITY);
    }
    this.#listener.onStatus(status);
  }

  /** Nothing began: a client that was closed, or a method of the user's own that failed. */
  #onThrown(cause: unknown): void {
    const isClosed = /shut down/.test(saidBy(cause));
    const reason = isClosed ? "CLIENT_CLOSED" : "CONFIG_INVALID";
    const code = isClosed ? Status.CANCELLED : Status.INTERNAL;
    const details = `The stub did not begin the call: ${saidBy(cause)}`;
    this.#listener.fail({ code, details, reason, cause });
    const told = {
      code,
      details,
      metadata: new Metadata(),
      reason,
      origin: "local",
      processed: "no",
    } as const;
    process.nextTick(() => this.#finish(told));
  }

  /** The stream reads ahead by itself; one message at a time is taken from it. */
  #pull(): void {
    if (this.#isPulling || this.#isOver) return;
    this.#isPulling = true;
    while (this.#isWanted) {
      const message = this.#take();
      if (message === null) break;
      this.#isWanted = false;
      this.#listener.onMessage(message, Number.POSITIVE_INFINITY);
    }
    this.#isPulling = false;
  }

  #take(): unknown {
    return this.#raw?.read?.() ?? null;
  }
}

/** An error of grpc-js is its status; stubs made for tests may fail with anything. */
function statusOf(error: unknown): ToldStatus {
  const { code } = error as Partial<ToldStatus>;
  if (typeof code === "number") return error as ToldStatus;
  return { code: Status.UNKNOWN, details: saidBy(error), metadata: new Metadata() };
}
