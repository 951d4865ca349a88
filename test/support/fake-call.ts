import {
  type CallCredentials,
  type ChannelInterface,
  type InterceptingListener,
  Metadata,
  status as Status,
  type StatusObject,
} from "@grpc/grpc-js";
import type { Clock, Timer } from "../../src/core/index.js";

type InnerCall = ReturnType<ChannelInterface["createCall"]>;
type MessageContext = Parameters<InnerCall["sendMessageWithContext"]>[0];

/** What a call needs of its channel. */
export interface FakeCallHost {
  readonly clock: Clock;
  readonly target: string;
  /** The bare address, which `getPeer()` answers once a stream exists. */
  readonly peer: string;
  /** Whether a call started now gets a stream. */
  readonly canOpenStreams: boolean;
  /** Writes wait for `flush()`. */
  readonly holdsWrites: boolean;
  onEnded(call: FakeCall): void;
}

/**
 * One attempt as grpc-js would run it, answered by the test: `headers()`, `message()`, `ok()`, `fail()` are words of
 * the server, `endLocally()` is one of grpc-js itself. It keeps grpc-js's manners: a status comes in a turn of its
 * own and once, messages wait to be asked for, a deadline ends it without the server.
 */
export class FakeCall implements InnerCall {
  metadata = new Metadata();
  credentials: CallCredentials | null = null;
  readonly sent: Buffer[] = [];
  readonly flags: (number | undefined)[] = [];
  isHalfClosed = false;
  readsAsked = 0;
  cancelledWith: { readonly code: Status; readonly details: string } | null = null;
  isStreamOpened = false;
  /** The server's library refused the stream: no application saw it. */
  isRefused = false;
  hasHeaders = false;
  #listener: InterceptingListener | null = null;
  #final: StatusObject | null = null;
  #isDelivered = false;
  #timer: Timer | null = null;
  readonly #unread: Buffer[] = [];
  readonly #unflushed: MessageContext[] = [];

  constructor(
    private readonly host: FakeCallHost,
    readonly method: string,
    /** Epoch ms; `Infinity` for none. */
    readonly deadline: number,
    readonly authority: string | null | undefined,
  ) {
    if (deadline === Number.POSITIVE_INFINITY) return;
    this.#timer = host.clock.setTimer(() => this.#onDeadline(), deadline - host.clock.epoch());
  }

  // What an attempt does

  start(metadata: Metadata, listener: InterceptingListener): void {
    this.metadata = metadata.clone();
    this.#listener = listener;
    // grpc-js opens the stream some promises later.
    queueMicrotask(() => {
      if (this.#final !== null) return;
      if (this.host.canOpenStreams) this.isStreamOpened = true;
      else this.endLocally(Status.UNAVAILABLE, "No connection established. Last error: gone");
    });
  }

  sendMessageWithContext(context: MessageContext, message: Buffer): void {
    this.sent.push(message);
    this.flags.push(context.flags);
    this.#unflushed.push(context);
    if (!this.host.holdsWrites) this.flush();
  }

  startRead(): void {
    this.readsAsked++;
    this.#push();
  }

  halfClose(): void {
    this.isHalfClosed = true;
  }

  cancelWithStatus(code: Status, details: string): void {
    this.cancelledWith ??= { code, details };
    this.endLocally(code, details);
  }

  setCredentials(credentials: CallCredentials): void {
    this.credentials = credentials;
  }

  /** Address of the connection. */
  get peer(): string {
    return this.host.peer;
  }

  getPeer(): string {
    return this.isStreamOpened ? this.host.peer : this.host.target;
  }

  getAuthContext(): null {
    return null;
  }

  getCallNumber(): number {
    return 0;
  }

  // What the test makes happen

  /** True once its status is on its way up. */
  get isEnded(): boolean {
    return this.#isDelivered;
  }

  get sentTexts(): string[] {
    return this.sent.map(String);
  }

  /** Value of `grpc-previous-rpc-attempts`, or undefined. */
  get previousAttempts(): string | undefined {
    return this.metadata.get("grpc-previous-rpc-attempts")[0]?.toString();
  }

  /** Milliseconds left when the attempt was made, which grpc-js would send as `grpc-timeout`. */
  timeoutAt(epoch: number): number {
    return this.deadline - epoch;
  }

  /** Tells the writer of the oldest message that it is on its way. */
  flush(): void {
    const context = this.#unflushed.shift();
    if (context !== undefined) process.nextTick(() => context.callback?.());
  }

  /** Response headers; there is one set of them, so a second one is none. */
  headers(metadata = new Metadata()): void {
    if (this.#final !== null || this.hasHeaders) return;
    this.hasHeaders = true;
    this.#listener?.onReceiveMetadata(metadata);
  }

  message(text: string): void {
    this.headers();
    if (this.#final === null) this.#unread.push(Buffer.from(text));
    this.#push();
  }

  /** The whole answer of a server that has run the call. */
  ok(text = "done"): void {
    this.message(text);
    this.okTrailers();
  }

  okTrailers(metadata = new Metadata()): void {
    this.#end({ code: Status.OK, details: "", metadata });
  }

  /** A server's refusal in one frame (Trailers-Only), which carries the content type. */
  fail(code: Status, details = "scripted", trailers: Readonly<Record<string, string>> = {}): void {
    const metadata = new Metadata();
    metadata.set("content-type", "application/grpc+proto");
    for (const [key, value] of Object.entries(trailers)) metadata.set(key, value);
    this.#end({ code, details, metadata });
  }

  /** Trailers after response headers: these carry no content type. */
  failAfterHeaders(code: Status, details = "after headers"): void {
    this.headers();
    this.#end({ code, details, metadata: new Metadata() });
  }

  /** A status that grpc-js makes up. */
  endLocally(code: Status, details: string): void {
    this.#end({ code, details, metadata: new Metadata() });
  }

  /** RST_STREAM REFUSED_STREAM, or a GOAWAY whose last stream is an earlier one. */
  refuse(): void {
    this.isRefused ||= !this.isEnded;
    this.endLocally(Status.UNAVAILABLE, "Stream refused by server");
  }

  /** The connection is gone before a stream could be opened. */
  neverSend(): void {
    this.isStreamOpened &&= this.isEnded;
    this.endLocally(Status.UNAVAILABLE, "No connection established. Last error: gone");
  }

  #onDeadline(): void {
    const where = this.isStreamOpened ? `remote_addr=${this.host.peer}` : "Waiting for LB pick";
    this.endLocally(Status.DEADLINE_EXCEEDED, `Deadline exceeded after 1.000s,${where}`);
  }

  #push(): void {
    if (this.#isDelivered) return;
    while (this.readsAsked > 0 && (this.#final === null || this.#final.code === Status.OK)) {
      const message = this.#unread.shift();
      if (message === undefined) break;
      this.readsAsked--;
      this.#listener?.onReceiveMessage(message);
    }
    this.#deliver();
  }

  /** An OK that still waits to be read gives way to a deadline, a cancel or a loss. */
  #end(status: StatusObject): void {
    if (this.#isDelivered || (this.#final !== null && this.#final.code !== Status.OK)) return;
    this.#final = status;
    this.#deliver();
  }

  /** An OK waits until the messages before it were read; any other status overtakes them. */
  #deliver(): void {
    const status = this.#final;
    const listener = this.#listener;
    if (status === null || listener === null || this.#isDelivered) return;
    if (status.code === Status.OK && this.#unread.length > 0) return;
    this.#isDelivered = true;
    this.#timer?.cancel();
    this.host.onEnded(this);
    process.nextTick(() => listener.onReceiveStatus(status));
  }
}
