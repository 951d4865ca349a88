import { type CallCredentials, type InterceptingListener, Metadata, status as Status } from "@grpc/grpc-js";
import { isReason, type Reason, type ReportedStatus } from "../core/index.js";
import { guardCallCredentials, type InnerCall } from "../pool/index.js";
import { AnswerDelivery } from "./answer-delivery.js";
import type { CallEnv } from "./call-env.js";
import type { CallLimits } from "./call-limits.js";
import type { MethodPolicy } from "./method-policy.js";
import { composeCredentials } from "./refreshing-credentials.js";
import { Outbox } from "./retry-buffer.js";

/** Until the call is started with its own; never written to. */
export const NO_METADATA = new Metadata();

/**
 * The metadata as it is now: it is sent at the end of the turn and again with every repeat, and its owner may use the
 * same object for the next call with other values meanwhile.
 */
function snapshotOf(metadata: Metadata): Metadata {
  const { waitForReady, idempotentRequest, cacheableRequest, corked } = metadata.getOptions();
  const isPlain = (waitForReady ?? idempotentRequest ?? cacheableRequest ?? corked) === undefined;
  if (!isPlain) return metadata.clone();
  for (const _name in metadata.getMap()) return metadata.clone();
  return NO_METADATA;
}

let lastCallNumber = 0;
/** Only for those who ask, which grpc-js does where it logs. */
const numbers = new WeakMap<object, number>();

function numberOf(call: object): number {
  const known = numbers.get(call) ?? ++lastCallNumber;
  numbers.set(call, known);
  return known;
}

/** The caller's side of a call: what grpc-js's `Client` and its interceptors talk to. */
export abstract class CallerSide extends AnswerDelivery implements InnerCall {
  #listener: InterceptingListener | null = null;
  readonly outbox: Outbox;
  protected metadata = NO_METADATA;
  protected credentials: CallCredentials | null;
  protected isReading = false;

  constructor(
    readonly env: CallEnv,
    readonly policy: MethodPolicy,
    readonly limits: CallLimits,
  ) {
    super();
    this.outbox = new Outbox(env.budget);
    this.credentials = env.callCredentials;
  }

  protected abstract readonly isDone: boolean;
  /** The response is a stream. */
  protected abstract readonly isResponseStream: boolean;
  /** The call whose peer is the caller's: the attempt that was made last. */
  protected abstract readonly visible: InnerCall | null;
  /** The caller has started the call. */
  protected abstract onStart(): void;
  /** There is more to send, or the end of it. */
  protected abstract pump(): void;
  /** The request no longer fits into the retry buffer. */
  protected abstract onOverflow(): void;
  protected abstract readMore(): void;
  /** Ends the call by our own word, wherever it is. */
  protected abstract end(code: Status, details: string, reason: Reason): void;

  start(metadata: Metadata, listener: InterceptingListener): void {
    this.metadata = snapshotOf(metadata);
    this.#listener = listener;
    this.onStart();
  }

  sendMessageWithContext(context: { callback?: () => void; flags?: number }, message: Buffer): void {
    const { callback, flags } = context;
    if (this.isDone) {
      if (callback !== undefined) process.nextTick(callback);
      return;
    }
    const maxBytes = this.limits.atMost("maxSendMessageBytes", this.policy.maxSendMessageBytes);
    if (message.length > maxBytes) {
      const details = `the request message has ${message.length} bytes; maxSendMessageBytes allows ${maxBytes}`;
      if (callback !== undefined) process.nextTick(callback);
      return this.end(Status.RESOURCE_EXHAUSTED, details, "MESSAGE_TOO_LARGE");
    }
    const { outbox } = this;
    const wasReplayable = outbox.isReplayable;
    outbox.add(message, flags, callback);
    if (wasReplayable && !outbox.isReplayable) this.onOverflow();
    this.pump();
  }

  startRead(): void {
    this.isReading = true;
    this.readMore();
  }

  halfClose(): void {
    this.outbox.isHalfClosed = true;
    this.pump();
  }

  cancelWithStatus(code: Status, details: string): void {
    this.end(code, details, "CANCELLED");
  }

  setCredentials(credentials: CallCredentials): void {
    const { callCredentials } = this.env;
    const guarded = guardCallCredentials(credentials);
    this.credentials = callCredentials === null ? guarded : composeCredentials(callCredentials, guarded);
  }

  getPeer(): string {
    return this.visible?.getPeer() ?? this.env.target;
  }

  getAuthContext(): ReturnType<InnerCall["getAuthContext"]> {
    return this.visible?.getAuthContext() ?? null;
  }

  getCallNumber(): number {
    return numberOf(this);
  }

  protected override deliverMessage(message: Buffer): void {
    this.#listener?.onReceiveMessage(message);
  }

  protected override deliverHeaders(metadata: Metadata): void {
    this.#listener?.onReceiveMetadata(metadata);
  }

  protected override deliverStatus(status: ReportedStatus): void {
    try {
      this.#listener?.onReceiveStatus(status);
    } catch (error) {
      if (!this.isUnheardCancel(error)) throw error;
    }
  }

  /**
   * grpc-js reports every end but OK as an `error` event, which ends the process where nobody listens. Of a stream that
   * the application itself has cancelled that tells nobody anything.
   */
  private isUnheardCancel(error: unknown): boolean {
    return this.isResponseStream && isReason(error, "CANCELLED");
  }
}
