import { type CallCredentials, type Metadata, status as Status, type StatusObject } from "@grpc/grpc-js";
import type { EndpointGate, Incident, InnerCall, Slot } from "../pool/index.js";
import type { Evidence } from "./classify.js";
import type { CredentialIssues } from "./credential-issues.js";
import { bytesOf, type Outbox, type OutgoingMessage } from "./retry-buffer.js";

type MessageContext = Parameters<InnerCall["sendMessageWithContext"]>[0];

/** What an attempt tells its call. */
export interface AttemptOwner {
  /** What it is to send. */
  readonly outbox: Outbox;
  onAttemptHeaders(attempt: Attempt, metadata: Metadata): void;
  onAttemptMessage(attempt: Attempt, message: Buffer): void;
  onAttemptStatus(attempt: Attempt, status: StatusObject): void;
}

/** From here on a copy of a message costs more than a turn of the event loop. */
const LARGE_BYTES = 64 * 1024;

/**
 * One try on the wire: a grpc-js call on one connection, fed from the call's outbox one message at a time, because
 * grpc-js holds only one unsent message and silently loses others. It is its own listener and write context, so that
 * an attempt costs one object and one closure.
 */
export class Attempt {
  #inner: InnerCall | null = null;
  /** Absolute index of the next message to send. */
  #next = 0;
  /** What is on its way; true for bytes alone, which grpc-js holds then. */
  #writing: OutgoingMessage | true | null = null;
  #isHalfClosed = false;
  #isEnded = false;
  #isCancelled = false;
  /** The response headers; null before they came. */
  headers: Metadata | null = null;
  hasMessage = false;
  sentBytes = 0;
  receivedBytes = 0;
  /** Issues of the refreshable credentials it went out with, where there are any. */
  declare issues?: CredentialIssues;
  /** Monotonic ms of the response headers; set for response streams only. */
  declare answeredAt?: number;
  /** Ended by a limit of ours that grpc-js does not know. */
  isTimedOut = false;
  readonly #bytesAtStart: number;
  readonly callback: () => void;

  constructor(
    readonly slot: Slot,
    /** The breaker that let it go, and is told of its end. */
    readonly gate: EndpointGate,
    public isProbe: boolean,
    readonly number: number,
    /** Monotonic ms. */
    readonly startedAt: number,
    /** Its own limit in ms, where that ends before the call's deadline; else 0. */
    readonly limitMs: number,
    private readonly owner: AttemptOwner,
  ) {
    this.#bytesAtStart = slot.bytesRead;
    // Bound, not an arrow: V8 allocates closures stored in fields in old space until it has optimised the code.
    this.callback = this.onWritten.bind(this);
  }

  /** Those of the message that is written, as grpc-js's write context has them. */
  get flags(): number | undefined {
    const entry = this.#writing;
    return entry === null || entry === true ? undefined : entry.flags;
  }

  /** Tells it from a wait; no field, which every attempt would pay for. */
  get kind(): "running" {
    return "running";
  }

  /**
   * @param deadline epoch ms, `Infinity` for none
   * @throws when the connection closed meanwhile; nothing was sent then
   */
  start(
    method: string,
    host: string | null | undefined,
    metadata: Metadata,
    credentials: CallCredentials | null,
    isReading: boolean,
    deadline: number,
  ): void {
    const inner = this.slot.createCall(method, deadline, host);
    this.slot.callStarted();
    this.#inner = inner;
    try {
      if (credentials !== null) inner.setCredentials(credentials);
      inner.start(metadata, this);
      if (isReading) inner.startRead();
      // grpc-js keeps a message that is given to it in the turn of the start for as long as the call lives: a large one
      // would be held twice.
      const first = this.owner.outbox.at(0);
      if (first === undefined || bytesOf(first).length < LARGE_BYTES) this.pump();
      else setImmediate(pump, this);
    } catch (error) {
      this.#isEnded = true;
      this.slot.callEnded();
      throw error;
    }
  }

  /** Messages handed to grpc-js; the last of them may still be on its way, and is held here. */
  get sentCount(): number {
    return this.#next;
  }

  get hasHeaders(): boolean {
    return this.headers !== null;
  }

  /** Of them, those whose way is known to be over. */
  get writtenCount(): number {
    return this.#writing === null ? this.#next : this.#next - 1;
  }

  get inner(): InnerCall | null {
    return this.#inner;
  }

  startRead(): void {
    this.#inner?.startRead();
  }

  /** Sends what can be sent: one message, then waits for its callback. */
  pump(): void {
    const inner = this.#inner;
    if (inner === null || this.#isEnded || this.#isCancelled || this.#writing !== null || this.#isHalfClosed)
      return;
    const entry = this.owner.outbox.at(this.#next);
    if (entry !== undefined) {
      this.#next++;
      this.#writing = "message" in entry ? entry : true;
      const message = bytesOf(entry);
      this.sentBytes += message.length;
      this.slot.writeStarted();
      inner.sendMessageWithContext(this as MessageContext, message);
      this.owner.outbox.onSent(this.#next - 1);
    }
    // The half-close may follow the last message at once: grpc-js keeps their order, and it saves a frame.
    if (this.owner.outbox.isHalfClosed && this.#next === this.owner.outbox.end) {
      this.#isHalfClosed = true;
      inner.halfClose();
    }
  }

  /** Ends it as one that did not answer in time. */
  timeOut(details: string): void {
    this.isTimedOut = true;
    this.cancel(Status.DEADLINE_EXCEEDED, details);
  }

  cancel(code: number, details: string): void {
    // From here on the outbox is for others.
    this.#isCancelled = true;
    this.#inner?.cancelWithStatus(code, details);
  }

  /** An answer has begun: a probe has done its work, also where the answer is a stream that goes on for days. */
  proveEndpoint(): void {
    if (!this.isProbe) return;
    this.isProbe = false;
    this.gate.succeed(true);
  }

  /** What the attempt proves, read when its status arrived. */
  evidence(isAttemptLimited: boolean, isDeadlineDue: boolean): Evidence {
    const { hasHeaders, hasMessage } = this;
    return {
      hasHeaders,
      hasMessage,
      isStreamOpened: this.isStreamOpened(),
      isConnectionLost: this.slot.isLost,
      isSessionOver: this.slot.isSessionOver,
      isPooled: this.slot.isPooled,
      isAttemptLimited,
      isDeadlineDue,
    };
  }

  /** See `Slot.noteTimeout`. */
  noteTimeout(): Incident {
    return this.slot.noteTimeout(this.startedAt, this.#bytesAtStart);
  }

  onReceiveMetadata(metadata: Metadata): void {
    if (this.#isEnded) return;
    this.headers = metadata;
    this.owner.onAttemptHeaders(this, metadata);
  }

  onReceiveMessage(message: Buffer): void {
    if (this.#isEnded) return;
    this.hasMessage = true;
    this.receivedBytes += message.length;
    this.owner.onAttemptMessage(this, message);
  }

  onReceiveStatus(status: StatusObject): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    try {
      this.owner.onAttemptStatus(this, status);
    } finally {
      if (this.#writing !== null) this.endWrite();
      // Last, because the end of the last call closes a draining connection, which would read as its loss.
      this.slot.callEnded();
    }
  }

  /** Inner channels answer the target while a call is queued, and the bare address once a stream existed. */
  private isStreamOpened(): boolean | null {
    if (this.hasHeaders || this.hasMessage) return true;
    const { peerWhileQueued } = this.slot;
    if (this.#inner === null) return false;
    if (peerWhileQueued === null) return null;
    if (this.#inner.getAuthContext() !== null) return true;
    const peer = this.#inner.getPeer();
    return peer === "unknown" ? null : peer !== peerWhileQueued;
  }

  private onWritten(): void {
    // grpc-js calls back more than once, and for a dead attempt too.
    const entry = this.#writing;
    if (entry === null) return;
    this.endWrite();
    if (this.#isCancelled) return;
    this.owner.outbox.forgetBefore(this.#next);
    if (entry !== true) {
      const { callback } = entry;
      entry.callback = undefined;
      callback?.();
    }
    this.pump();
  }

  private endWrite(): void {
    this.#writing = null;
    this.slot.writeEnded();
  }
}

function pump(attempt: Attempt): void {
  attempt.pump();
}
