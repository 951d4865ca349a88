import { Metadata, propagate, status as Status, type StatusObject } from "@grpc/grpc-js";
import { deadlineToEpochMs, onAbort, type Reason, type Timer } from "../core/index.js";
import { type ResolvedCallSettings, SettingsDeadline } from "./call-settings.js";
import { metadataProblem } from "./check-metadata.js";
import type { MethodPolicy } from "./method-policy.js";
import type { RpcKind } from "./rpc-kind.js";
import type { TurnClock } from "./turn-clock.js";

/** The server call on whose behalf a call is made, as grpc-js hands it to `createCall`. */
export interface ParentCall {
  /** True once it was cancelled. */
  readonly cancelled?: boolean;
  getDeadline(): Date | number;
  on(event: "cancelled", listener: () => void): unknown;
  removeListener(event: "cancelled", listener: () => void): unknown;
}

interface Outside {
  readonly parent: ParentCall | null;
  readonly flags: number;
  /** What is to be undone at the end. */
  readonly unfollow: (() => void)[];
}

/** A call that somebody outside may end. */
export interface Cancellable {
  cancelFrom(details: string): void;
}

/** A wait without a deadline still keeps the process alive; the clock splits it up. */
const FOREVER_MS = 2 ** 40;

/** What bounds a call from outside: one absolute deadline, the caller's signal, the parent call. */
export class CallLimits {
  /** Epoch ms; `Infinity` for none. Covers every attempt and every wait (R47). */
  #deadline: number;
  readonly #startedAt: number;
  /** Whoever outside has a say in the call; null where nobody has, as is usual. */
  #outside: Outside | null;

  constructor(
    private readonly time: TurnClock,
    readonly settings: ResolvedCallSettings,
    deadline: Date | number,
    parent: ParentCall | null,
    propagateFlags: number | null | undefined,
  ) {
    const { timeoutMs } = settings;
    time.read();
    this.#startedAt = time.now;
    this.#outside =
      parent === null ? null : { parent, flags: propagateFlags ?? propagate.DEFAULTS, unfollow: [] };
    // The instant a SettingsDeadline shows to others means nothing here: it may be as old as a shared constant.
    const given =
      deadline instanceof SettingsDeadline ? (settings.deadline ?? Number.POSITIVE_INFINITY) : deadline;
    this.#deadline = typeof timeoutMs === "number" ? time.epoch + timeoutMs : deadlineToEpochMs(given);
  }

  get deadline(): number {
    return this.#deadline;
  }

  /** A turn began in which time may have passed: a failure, or the end of a wait. */
  readClock(): void {
    this.time.read();
  }

  /** Monotonic ms, as of the last reading. */
  get now(): number {
    return this.time.now;
  }

  /** Epoch ms, as of the last reading. */
  get epoch(): number {
    return this.time.epoch;
  }

  get elapsedMs(): number {
    return this.time.now - this.#startedAt;
  }

  get timeLeftMs(): number {
    return this.#deadline - this.time.epoch;
  }

  get isPassed(): boolean {
    return this.time.epoch >= this.#deadline;
  }

  /** The call's kind is known: applies the default deadline, and listens to whoever may cancel. */
  begin(policy: MethodPolicy, kind: RpcKind, call: Cancellable): void {
    // An interceptor may have taken its time between making the call and starting it.
    this.readClock();
    const { signal, timeoutMs } = this.settings;
    const isUnset = this.#deadline === Number.POSITIVE_INFINITY && timeoutMs !== null;
    if (isUnset && !kind.responseStream && policy.timeoutMs !== null) {
      this.#deadline = this.time.epoch - this.elapsedMs + policy.timeoutMs;
    }
    if (policy.maxTimeoutMs !== null) {
      this.#deadline = Math.min(this.#deadline, this.time.epoch - this.elapsedMs + policy.maxTimeoutMs);
    }
    if (signal !== undefined) this.followSignal(signal, call);
    if (this.#outside?.parent != null) this.followParent(this.#outside.parent, this.#outside.flags, call);
  }

  /**
   * Why the call must not be sent at all: on a warm connection grpc-js would send it all the same.
   * @param metadata null for none
   */
  obstacle(
    metadata: Metadata | null,
    maxMetadataBytes: number,
  ): { status: StatusObject; reason: Reason } | null {
    if (this.settings.signal?.aborted === true) {
      return refusal(Status.CANCELLED, "The call was aborted by its signal before it began", "CANCELLED");
    }
    if (this.isParentCancelled) return refusal(Status.CANCELLED, "Cancelled by parent call", "CANCELLED");
    if (this.isPassed) {
      const ago = Math.round(-this.timeLeftMs);
      return refusal(
        Status.DEADLINE_EXCEEDED,
        `The deadline passed ${ago} ms before the call began`,
        "DEADLINE_EXCEEDED",
      );
    }
    const problem = metadata === null ? null : metadataProblem(metadata, maxMetadataBytes);
    if (problem !== null) return refusal(Status.INTERNAL, problem, "METADATA_INVALID");
    return null;
  }

  /** Whoever is cancelled already tells nobody any more. */
  private get isParentCancelled(): boolean {
    if (this.#outside === null) return false;
    const { parent, flags } = this.#outside;
    return parent?.cancelled === true && (flags & propagate.CANCELLATION) !== 0;
  }

  /** The limit of the method, or the call's own where that is lower. */
  atMost(key: "maxSendMessageBytes" | "maxReceiveMessageBytes", limit: number): number {
    const own = this.settings[key];
    return own === undefined ? limit : Math.min(own, limit);
  }

  /** A timer somebody awaits, for a wait that ends with the call's deadline at the latest. */
  untilDeadline(callback: () => void): Timer {
    return this.time.clock.setTimer(callback, Math.min(this.timeLeftMs, FOREVER_MS), { keepAlive: true });
  }

  release(): void {
    if (this.#outside !== null) for (const undo of this.#outside.unfollow) undo();
    this.#outside = null;
  }

  private followSignal(signal: AbortSignal, call: Cancellable): void {
    this.follow(onAbort(signal, () => call.cancelFrom("The call was aborted by its signal")));
  }

  private followParent(parent: ParentCall, flags: number, call: Cancellable): void {
    if ((flags & propagate.DEADLINE) !== 0) {
      this.#deadline = Math.min(this.#deadline, deadlineToEpochMs(parent.getDeadline()));
    }
    if ((flags & propagate.CANCELLATION) === 0) return;
    const onCancelled = (): void => call.cancelFrom("Cancelled by parent call");
    parent.on("cancelled", onCancelled);
    this.follow(() => parent.removeListener("cancelled", onCancelled));
  }

  private follow(undo: () => void): void {
    this.#outside ??= { parent: null, flags: 0, unfollow: [] };
    this.#outside.unfollow.push(undo);
  }
}

function refusal(code: Status, details: string, reason: Reason): { status: StatusObject; reason: Reason } {
  return { status: { code, details, metadata: new Metadata() }, reason };
}
