import {
  type InterceptorOptions,
  type Metadata,
  type NextCall,
  status as Status,
  type StatusObject,
} from "@grpc/grpc-js";
import type { Evidence } from "../../call/index.js";
import type { Clock } from "../../core/index.js";
import { absoluteDeadline } from "./absolute-deadline.js";
import type { CallBelow, CallListener, MessageContext } from "./call-types.js";
import { plainEvidence } from "./evidence.js";
import { cancelFailure, type LocalFailure, localFailure, thrownFailure } from "./local-failure.js";
import { PlainOutbox } from "./outbox.js";
import { limitWait } from "./wait-limits.js";

/** `waiting`: started by the caller, with no call below yet, or none any more. */
type Phase = "idle" | "waiting" | "running" | "ended";

/** What grpc-js answers where there is no peer yet. */
const NO_PEER = "unknown";

/**
 * One call as an interceptor of this folder sees it, whatever its kind. The call below is made only when `proceed()`
 * is called, so that a refused call costs nothing and a waiting one is heard when it is cancelled. Whatever happens,
 * the caller gets one status and `onEnd` is called once. A subclass says what to do at the start and at the end.
 */
export abstract class PlainCall implements CallBelow {
  /** Full path, `/package.Service/Method`. */
  readonly method: string;
  protected readonly options: InterceptorOptions;
  protected hasHeaders = false;
  /** Messages the caller has handed over, and messages that were received. */
  protected sent = 0;
  protected received = 0;
  /** With which status the caller ended the call, once it did. */
  protected cancelledWith: { readonly code: Status; readonly details: string } | null = null;
  readonly #nextCall: NextCall;
  readonly #startedAt: number;
  readonly #outbox: PlainOutbox;
  #phase: Phase = "idle";
  #above: CallListener = {};
  #below: CallBelow | null = null;
  #reads = 0;
  /** grpc-js tells of a missing single response by a null before the status. */
  #isNullHeld = false;
  #stopWait: (() => void) | null = null;

  /** @param keepsRequests true when the call may be repeated */
  constructor(
    options: InterceptorOptions,
    nextCall: NextCall,
    protected readonly clock: Clock,
    keepsRequests = false,
  ) {
    this.method = options.method_definition.path;
    this.options = absoluteDeadline(options, clock);
    this.#nextCall = nextCall;
    this.#startedAt = clock.now();
    this.#outbox = new PlainOutbox(keepsRequests);
  }

  /** The caller has started the call: `proceed`, `fail`, or `startWait` and one of them later. */
  protected abstract begin(metadata: Metadata): void;

  /** @returns the status that the caller is to get. */
  protected onEnd(status: StatusObject): StatusObject {
    return status;
  }

  /** Headers or a message arrived, for the first time. */
  protected onAnswer(): void {}
  protected onSent(): void {}
  protected onReceived(_message: unknown): void {}

  /** Asked for failures before any answer; true when `repeat` is to be called instead of ending the call. */
  protected mayRepeat(_status: StatusObject): boolean {
    return false;
  }
  /** Nothing of the attempt was told to the caller: `proceed` once more, or `finish`. */
  protected repeat(_status: StatusObject): void {}

  get elapsedMs(): number {
    return this.clock.now() - this.#startedAt;
  }

  protected get evidence(): Evidence {
    return plainEvidence(this.options, this.clock, this.hasHeaders, this.received > 0);
  }

  /** From now on the call's deadline, its signal and its parent are heard here: grpc-js does not know the call yet. */
  protected startWait(what: string): void {
    this.#endWait();
    this.#stopWait = limitWait(this.clock, this.options, what, (failure) => this.fail(failure));
  }

  /** Makes the call below and sends it all that was held. Does nothing when the call ended while it waited. */
  protected proceed(metadata: Metadata): void {
    if (this.#phase !== "waiting") return;
    this.#endWait();
    this.#phase = "running";
    try {
      const below = this.#nextCall(this.options);
      this.#below = below;
      below.start(metadata, this.#listenerFor(below));
      if (!this.#isHeard(below)) return;
      for (let read = 0; read < this.#reads; read++) below.startRead();
      this.#outbox.sendTo(below);
    } catch (error) {
      // It came out of the caller's own code, which has its status already.
      if (this.#isEnded()) throw error;
      this.#below?.cancelWithStatus(Status.CANCELLED, "The call could not be set up");
      this.fail(thrownFailure(error));
    }
  }

  /** Ends a call that is not running with a failure of our own. */
  protected fail(failure: LocalFailure): void {
    const processed = this.#below === null ? "no" : "maybe";
    this.finish(localFailure(this.method, { processed, ...failure }, this.elapsedMs));
  }

  /** Ends a call that is not running. Its caller is still setting it up, or in the middle of something else. */
  protected finish(status: StatusObject): void {
    if (this.#phase === "ended") return;
    const final = this.#end(status);
    process.nextTick(() => this.#above.onReceiveStatus?.(final));
  }

  // What the caller does

  start(metadata: Metadata, listener: CallListener = {}): void {
    if (this.#phase !== "idle") return;
    this.#above = listener;
    this.#phase = "waiting";
    const { cancelledWith } = this;
    if (cancelledWith === null) this.begin(metadata);
    else this.fail(cancelFailure(cancelledWith.code, cancelledWith.details));
  }

  sendMessage(message: unknown): void {
    this.sendMessageWithContext({}, message);
  }

  sendMessageWithContext(context: MessageContext, message: unknown): void {
    if (this.#phase === "ended") {
      if (context.callback !== undefined) process.nextTick(context.callback);
      return;
    }
    this.sent++;
    this.onSent();
    this.#outbox.add(context, message);
  }

  halfClose(): void {
    if (this.#phase !== "ended") this.#outbox.halfClose();
  }

  startRead(): void {
    this.#reads++;
    if (this.#phase === "running") this.#below?.startRead();
  }

  cancelWithStatus(code: Status, details: string): void {
    if (this.#phase === "ended") return;
    this.cancelledWith ??= { code, details };
    if (this.#phase === "running") this.#below?.cancelWithStatus(code, details);
    else if (this.#phase === "waiting") this.fail(cancelFailure(code, details));
  }

  getPeer(): string {
    return this.#below?.getPeer() ?? NO_PEER;
  }

  getAuthContext(): ReturnType<CallBelow["getAuthContext"]> {
    return this.#below?.getAuthContext() ?? null;
  }

  // What comes back

  #listenerFor(below: CallBelow): CallListener {
    return {
      onReceiveMetadata: (metadata) => {
        if (this.#isHeard(below)) this.#onHeaders(metadata);
      },
      onReceiveMessage: (message) => {
        if (this.#isHeard(below)) this.#onMessage(message);
      },
      onReceiveStatus: (status) => {
        if (this.#isHeard(below)) this.#onStatus(status);
      },
    };
  }

  /** False for a call that is over: an interceptor below may not know its manners. */
  #isHeard(below: CallBelow): boolean {
    return this.#phase === "running" && this.#below === below;
  }

  #onHeaders(metadata: Metadata): void {
    this.hasHeaders = true;
    this.#answered();
    this.#above.onReceiveMetadata?.(metadata);
  }

  #onMessage(message: unknown): void {
    if (message === null) {
      this.#isNullHeld = true;
      return;
    }
    if (this.received++ === 0 && !this.hasHeaders) this.#answered();
    this.onReceived(message);
    this.#above.onReceiveMessage?.(message);
  }

  #answered(): void {
    this.#outbox.forget();
    this.onAnswer();
  }

  #onStatus(status: StatusObject): void {
    const isAnswered = this.hasHeaders || this.received > 0;
    if (status.code !== Status.OK && !isAnswered && this.cancelledWith === null && this.mayRepeat(status)) {
      this.#phase = "waiting";
      this.#isNullHeld = false;
      this.#outbox.stop();
      return this.repeat(status);
    }
    const final = this.#end(status);
    if (this.#isNullHeld) this.#above.onReceiveMessage?.(null);
    this.#above.onReceiveStatus?.(final);
  }

  #end(status: StatusObject): StatusObject {
    this.#phase = "ended";
    this.#endWait();
    this.#outbox.end();
    return this.onEnd(status);
  }

  /** A method, because TypeScript thinks it knows the phase after an assignment. */
  #isEnded(): boolean {
    return this.#phase === "ended";
  }

  #endWait(): void {
    this.#stopWait?.();
    this.#stopWait = null;
  }
}
