import { type InterceptingListener, Metadata, status as Status } from "@grpc/grpc-js";
import type { ResilientChannel } from "../../src/call/index.js";
import type { ReportedStatus } from "../../src/core/index.js";

type CallOf = ReturnType<ResilientChannel["createCall"]>;
type Parent = Parameters<ResilientChannel["createCall"]>[3];

export interface TestCallOptions {
  readonly method?: string;
  /** As grpc-js hands it on: `Infinity` when the caller gave none. */
  readonly deadline?: Date | number;
  readonly metadata?: Metadata;
  readonly parent?: Parent;
  readonly propagateFlags?: number;
}

/** The caller's side of one call, used in the order in which grpc-js's `Client` uses it; keeps all it is told. */
export class TestCall implements InterceptingListener {
  readonly inner: CallOf;
  /** All that was received, in order: "headers", message texts, "status". */
  readonly log: string[] = [];
  readonly headers: Metadata[] = [];
  readonly messages: string[] = [];
  readonly statuses: ReportedStatus[] = [];
  /** Texts of the messages whose write callback came. */
  readonly flushed: string[] = [];
  /** Reads the next message as soon as one came, as a flowing stream does. */
  #isFlowing = false;

  constructor(channel: Pick<ResilientChannel, "createCall">, options: TestCallOptions = {}) {
    const { method = "/test.Echo/Say", deadline = Number.POSITIVE_INFINITY } = options;
    const { metadata = new Metadata(), parent = null, propagateFlags } = options;
    this.inner = channel.createCall(method, deadline, undefined, parent, propagateFlags);
    this.inner.start(metadata, this);
  }

  write(text: string, flags?: number): this {
    const callback = (): void => void this.flushed.push(text);
    this.inner.sendMessageWithContext(
      { callback, ...(flags === undefined ? {} : { flags }) },
      Buffer.from(text),
    );
    return this;
  }

  end(): this {
    this.inner.halfClose();
    return this;
  }

  /** Asks for a single response. */
  read(): this {
    this.inner.startRead();
    return this;
  }

  /** Asks for every response. */
  flow(): this {
    this.#isFlowing = true;
    return this.read();
  }

  cancel(): this {
    this.inner.cancelWithStatus(Status.CANCELLED, "Cancelled on client");
    return this;
  }

  /** The final status. */
  get status(): ReportedStatus {
    const status = this.statuses[0];
    if (status === undefined) throw new Error("the call has no status yet");
    return status;
  }

  get isOver(): boolean {
    return this.statuses.length > 0;
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.log.push("headers");
    this.headers.push(metadata);
  }

  onReceiveMessage(message: Buffer): void {
    this.log.push(String(message));
    this.messages.push(String(message));
    if (this.#isFlowing) this.inner.startRead();
  }

  onReceiveStatus(status: ReportedStatus): void {
    this.log.push("status");
    this.statuses.push(status);
  }
}

/** A unary call: everything in the turn of its start. */
export function unary(
  channel: Pick<ResilientChannel, "createCall">,
  options: TestCallOptions & { readonly request?: string } = {},
): TestCall {
  return new TestCall(channel, options)
    .read()
    .write(options.request ?? "hello")
    .end();
}

/** A client-streaming call: one response is asked for at once, messages follow. */
export function clientStream(
  channel: Pick<ResilientChannel, "createCall">,
  options: TestCallOptions = {},
): TestCall {
  return new TestCall(channel, options).read();
}

/** A server-streaming call; `flow()` when the caller begins to read. */
export function serverStream(
  channel: Pick<ResilientChannel, "createCall">,
  options: TestCallOptions = {},
): TestCall {
  return new TestCall(channel, options).write("hello").end();
}

/** A bidirectional call: nothing is written or asked for at first. */
export function bidi(channel: Pick<ResilientChannel, "createCall">, options: TestCallOptions = {}): TestCall {
  return new TestCall(channel, options);
}
