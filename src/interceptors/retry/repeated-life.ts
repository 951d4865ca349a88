import { AsyncResource } from "node:async_hooks";
import {
  type InterceptorOptions,
  Metadata,
  type NextCall,
  status as Status,
  type StatusObject,
} from "@grpc/grpc-js";
import { settingsOf } from "../../call/index.js";
import type { Outcome } from "../../core/index.js";
import type { CallBelow, CallListener, MessageContext } from "../plain/call-types.js";
import { cancelFailure, type LocalFailure } from "../plain/local-failure.js";
import { deadlineOf, limitWait } from "../plain/wait-limits.js";
import { CallStory } from "./call-story.js";
import type { InterceptedAttempt } from "./intercepted-attempt.js";
import { ownOutcome } from "./own-ends.js";
import type { MethodTraits, RepeatEnv } from "./repeat-env.js";
import { ReplayBuffer } from "./replay-buffer.js";

/** Until the call is started with its own; never written to. */
const NO_METADATA = new Metadata();

/**
 * The caller's side of a call that may have several attempts, of all four RPC kinds: how it begins and ends, and what
 * bounds it from outside. It is an async resource, so that later attempts run in the caller's context.
 */
export abstract class RepeatedLife extends AsyncResource implements CallBelow {
  /** Full path, `/package.Service/Method`. */
  readonly method: string;
  protected readonly story: CallStory;
  protected readonly buffer: ReplayBuffer;
  protected isIdempotent = false;
  protected metadata = NO_METADATA;
  /** Reads the caller has asked for (R44). */
  protected reads = 0;
  /** The attempt the caller may ask about: the one it sees, or the last. */
  protected visible: InterceptedAttempt | null = null;
  #phase: "idle" | "live" | "done" = "idle";
  #above: CallListener = {};
  #cancel: LocalFailure | null = null;
  #stopLimits: (() => void) | null = null;

  /** @param options of the call, whose deadline is an instant */
  constructor(
    protected readonly env: RepeatEnv,
    protected readonly options: InterceptorOptions,
    protected readonly nextCall: NextCall,
    protected readonly traits: MethodTraits,
  ) {
    super("HoldfastCall");
    this.method = options.method_definition.path;
    this.story = new CallStory(env.clock, this.method);
    this.buffer = new ReplayBuffer(traits.maxBufferedMessages);
  }

  /** Attempts in flight; a copy, because what is done to one of them may end others. */
  protected abstract readonly inFlight: readonly InterceptedAttempt[];
  /** The call may make its first attempt. */
  protected abstract begin(): void;
  /** Leaves every wait between attempts. */
  protected abstract leaveWaits(): void;
  /** The call's deadline has passed; attempts in flight end by themselves, and know more about it. */
  protected abstract onDeadline(): void;
  /** The request no longer fits into the buffer. */
  protected abstract onOverflow(): void;
  /** Cancels what is in flight. @returns how the last of it ended; null when nothing is */
  protected abstract loseAll(failure: LocalFailure): Outcome | null;

  protected get isDone(): boolean {
    return this.#phase === "done";
  }

  protected get isPassed(): boolean {
    return this.env.clock.epoch() >= deadlineOf(this.options);
  }

  start(metadata: Metadata, listener: CallListener = {}): void {
    if (this.#phase !== "idle") return;
    this.#phase = "live";
    this.#above = listener;
    // Its owner may use it for the next call, with other values, before this one is repeated.
    this.metadata = metadata.clone();
    const isMarked = metadata.getOptions().idempotentRequest === true;
    this.isIdempotent = this.#settings.idempotent ?? (isMarked || this.traits.isIdempotent);
    const obstacle = this.#cancel ?? this.#obstacle();
    if (obstacle !== null) return this.finish(ownOutcome(obstacle));
    this.#stopLimits = limitWait(this.env.clock, this.options, "a further attempt", (failure) => {
      if (failure.code === Status.DEADLINE_EXCEEDED) this.runInAsyncScope(this.onDeadline, this);
      else this.#end(failure);
    });
    this.begin();
  }

  sendMessage(message: unknown): void {
    this.sendMessageWithContext({}, message);
  }

  sendMessageWithContext(context: MessageContext, message: unknown): void {
    if (this.isDone) {
      if (context.callback !== undefined) process.nextTick(context.callback);
      return;
    }
    if (!this.buffer.add(context, message)) this.onOverflow();
    for (const attempt of this.inFlight) attempt.pump();
  }

  halfClose(): void {
    this.buffer.isHalfClosed = true;
    for (const attempt of this.inFlight) attempt.pump();
  }

  startRead(): void {
    this.reads++;
    for (const attempt of this.inFlight) attempt.startRead();
  }

  cancelWithStatus(code: Status, details: string): void {
    this.#end(cancelFailure(code, details));
  }

  getPeer(): string {
    return this.visible?.endpoint ?? "unknown";
  }

  getAuthContext(): ReturnType<CallBelow["getAuthContext"]> {
    return this.visible?.below?.getAuthContext() ?? null;
  }

  protected deliverHeaders(metadata: Metadata): void {
    this.#above.onReceiveMetadata?.(metadata);
  }

  protected deliverMessage(message: unknown): void {
    this.#above.onReceiveMessage?.(message);
  }

  protected succeed(attempt: InterceptedAttempt, status: StatusObject): void {
    this.#close();
    if (attempt.holdsNull) this.deliverMessage(null);
    this.#above.onReceiveStatus?.(this.story.recovered(status));
  }

  /** Ends the call as one that has failed, with the report. */
  protected finish(
    outcome: Outcome,
    status: StatusObject | null = null,
    attempt: InterceptedAttempt | null = null,
  ): void {
    if (!this.isDone) this.passOn(this.story.report(outcome, status), attempt);
  }

  /** Ends the call with this status as it is. Its caller is still setting it up, or in the middle of something else. */
  protected passOn(status: StatusObject, attempt: InterceptedAttempt | null): void {
    this.#close();
    this.runInAsyncScope(() =>
      process.nextTick(() => {
        if (attempt?.holdsNull === true) this.deliverMessage(null);
        this.#above.onReceiveStatus?.(status);
      }),
    );
  }

  get #settings(): ReturnType<typeof settingsOf> {
    return settingsOf(this.options.deadline ?? Number.POSITIVE_INFINITY);
  }

  /** Why nothing must be sent at all (R51). */
  #obstacle(): LocalFailure | null {
    if (this.#settings.signal?.aborted === true) {
      return cancelFailure(Status.CANCELLED, "The call was aborted by its signal before it began");
    }
    const overdueMs = this.env.clock.epoch() - deadlineOf(this.options);
    if (overdueMs < 0) return null;
    const details = `The deadline passed ${Math.round(overdueMs)} ms before the call began`;
    return cancelFailure(Status.DEADLINE_EXCEEDED, details);
  }

  /** Ends the call by its caller's word, wherever it is (R20, R53). */
  #end(failure: LocalFailure): void {
    if (this.isDone) return;
    if (this.#phase === "idle") {
      this.#cancel ??= failure;
      return;
    }
    this.leaveWaits();
    this.finish(this.loseAll(failure) ?? ownOutcome(failure));
  }

  #close(): void {
    this.#phase = "done";
    this.#stopLimits?.();
    this.#stopLimits = null;
    this.buffer.close();
  }
}
