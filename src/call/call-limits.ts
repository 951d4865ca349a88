import { Metadata, propagate, status as Status, type StatusObject } from "@grpc/grpc-js";
import { type Clock, deadlineToEpochMs, type Reason, type Timer } from "../core/index.js";
import { type ResolvedCallSettings, SettingsDeadline } from "./call-settings.js";
import { metadataProblem } from "./check-metadata.js";
import type { MethodPolicy } from "./method-policy.js";
import type { RpcKind } from "./rpc-kind.js";

/** The server call on whose behalf a call is made, as grpc-js hands it to `createCall`. */
export interface ParentCall {
  getDeadline(): Date | number;
  on(event: "cancelled", listener: () => void): unknown;
  removeListener(event: "cancelled", listener: () => void): unknown;
}

interface FollowedCall {
  readonly call: ParentCall;
  readonly flags: number;
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
  /** The clocks as of the last `readClock()`: each reading costs as much as a pick, and one per turn is enough. */
  #now: number;
  #epoch: number;
  readonly #parent: FollowedCall | null;
  /** What is to be undone at the end; null where nobody outside is listened to. */
  #unfollow: (() => void)[] | null = null;

  constructor(
    private readonly clock: Clock,
    readonly settings: ResolvedCallSettings,
    deadline: Date | number,
    parent: ParentCall | null,
    propagateFlags: number | null | undefined,
  ) {
    const { timeoutMs } = settings;
    this.#now = clock.now();
    this.#epoch = clock.epoch();
    this.#startedAt = this.#now;
    this.#parent = parent === null ? null : { call: parent, flags: propagateFlags ?? propagate.DEFAULTS };
    // The instant a SettingsDeadline shows to others means nothing here: it may be as old as a shared constant.
    const given =
      deadline instanceof SettingsDeadline ? (settings.deadline ?? Number.POSITIVE_INFINITY) : deadline;
    this.#deadline = typeof timeoutMs === "number" ? this.#epoch + timeoutMs : deadlineToEpochMs(given);
  }

  get deadline(): number {
    return this.#deadline;
  }

  /** A turn began in which time may have passed: a failure, or the end of a wait. */
  readClock(): void {
    this.#now = this.clock.now();
    this.#epoch = this.clock.epoch();
  }

  /** Monotonic ms, as of the last reading. */
  get now(): number {
    return this.#now;
  }

  /** Epoch ms, as of the last reading. */
  get epoch(): number {
    return this.#epoch;
  }

  get elapsedMs(): number {
    return this.#now - this.#startedAt;
  }

  get timeLeftMs(): number {
    return this.#deadline - this.#epoch;
  }

  get isPassed(): boolean {
    return this.#epoch >= this.#deadline;
  }

  /** The call's kind is known: applies the default deadline, and listens to whoever may cancel. */
  begin(policy: MethodPolicy, kind: RpcKind, call: Cancellable): void {
    // An interceptor may have taken its time between making the call and starting it.
    this.readClock();
    const { signal, timeoutMs } = this.settings;
    const isUnset = this.#deadline === Number.POSITIVE_INFINITY && timeoutMs !== null;
    if (isUnset && !kind.responseStream && policy.timeoutMs !== null) {
      this.#deadline = this.#epoch - this.elapsedMs + policy.timeoutMs;
    }
    if (policy.maxTimeoutMs !== null) {
      this.#deadline = Math.min(this.#deadline, this.#epoch - this.elapsedMs + policy.maxTimeoutMs);
    }
    if (signal !== undefined) this.#followSignal(signal, call);
    if (this.#parent !== null) this.#followParent(this.#parent, call);
  }

  /** Why the call must not be sent at all: on a warm connection grpc-js would send it all the same. */
  obstacle(
    closedDetails: string | null,
    metadata: Metadata,
    maxMetadataBytes: number,
  ): { status: StatusObject; reason: Reason } | null {
    if (closedDetails !== null) return refusal(Status.CANCELLED, closedDetails, "CLIENT_CLOSED");
    if (this.settings.signal?.aborted === true) {
      return refusal(Status.CANCELLED, "The call was aborted by its signal before it began", "CANCELLED");
    }
    if (this.isPassed) {
      const ago = Math.round(-this.timeLeftMs);
      return refusal(
        Status.DEADLINE_EXCEEDED,
        `The deadline passed ${ago} ms before the call began`,
        "DEADLINE_EXCEEDED",
      );
    }
    const problem = metadataProblem(metadata, maxMetadataBytes);
    if (problem !== null) return refusal(Status.INTERNAL, problem, "METADATA_INVALID");
    return null;
  }

  /** The limit of the method, or the call's own where that is lower. */
  atMost(key: "maxSendMessageBytes" | "maxReceiveMessageBytes", limit: number): number {
    const own = this.settings[key];
    return own === undefined ? limit : Math.min(own, limit);
  }

  /** A timer somebody awaits, for a wait that ends with the call's deadline at the latest. */
  untilDeadline(callback: () => void): Timer {
    return this.clock.setTimer(callback, Math.min(this.timeLeftMs, FOREVER_MS), { keepAlive: true });
  }

  release(): void {
    if (this.#unfollow !== null) for (const undo of this.#unfollow) undo();
    this.#unfollow = null;
  }

  #followSignal(signal: AbortSignal, call: Cancellable): void {
    const onAbort = (): void => call.cancelFrom("The call was aborted by its signal");
    signal.addEventListener("abort", onAbort, { once: true });
    this.#follow(() => signal.removeEventListener("abort", onAbort));
  }

  #followParent({ call: parent, flags }: FollowedCall, call: Cancellable): void {
    if ((flags & propagate.DEADLINE) !== 0) {
      this.#deadline = Math.min(this.#deadline, deadlineToEpochMs(parent.getDeadline()));
    }
    if ((flags & propagate.CANCELLATION) === 0) return;
    const onCancelled = (): void => call.cancelFrom("Cancelled by parent call");
    parent.on("cancelled", onCancelled);
    this.#follow(() => parent.removeListener("cancelled", onCancelled));
  }

  #follow(undo: () => void): void {
    this.#unfollow ??= [];
    this.#unfollow.push(undo);
  }
}

function refusal(code: Status, details: string, reason: Reason): { status: StatusObject; reason: Reason } {
  return { status: { code, details, metadata: new Metadata() }, reason };
}
