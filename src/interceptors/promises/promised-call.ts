import { Metadata, status as Status } from "@grpc/grpc-js";
import { onAbort } from "../../core/index.js";
import { Quietly } from "../plain/quietly.js";
import type { CallEnd } from "./call-failure.js";
import type { CallPlan } from "./call-plan.js";
import type { CallWay } from "./call-way.js";
import type { CallListener, Fault, OpenCall, ToldStatus } from "./open-call.js";
import { followedParent, obstacle } from "./plain-guard.js";

const quietHeaders = new Quietly("onHeaders of a call through promises() failed, which changes nothing");
const quietStatus = new Quietly("onStatus of a call through promises() failed, which changes nothing");

/** What calls of all kinds do alike: signal, hooks, faults, and one end. */
export abstract class PromisedCall implements CallListener {
  /** Null for a call that was aborted before it began. */
  call: OpenCall | null = null;
  ended: CallEnd | null = null;
  fault: Fault | null = null;
  #hasHeaders = false;
  protected hasMessage = false;
  #unfollowSignal: (() => void) | null = null;
  #unfollowParent: (() => void) | null = null;

  constructor(private readonly plan: CallPlan) {}

  protected abstract onEnd(end: CallEnd): void;
  abstract onMessage(message: unknown, bytes: number): void;
  abstract onSent(): void;

  /** Nothing is sent when the call is aborted already. */
  begin(way: CallWay, request: unknown): void {
    const { signal, options } = this.plan;
    if (signal?.aborted === true) return this.#refuse(abortedBy(signal));
    const fault = way.isPlain ? obstacle(options) : null;
    if (fault !== null) return this.#refuse(fault);
    if (signal !== undefined) this.#unfollowSignal = onAbort(signal, () => this.#abortBy(signal));
    if (way.isPlain) this.#unfollowParent = followedParent(options, (cancel) => this.fail(cancel));
    const call = way.open(this.plan, this, request);
    this.call = call;
    // Aborted by what ran as it was opened, when there was nothing yet to cancel.
    const { fault: early } = this;
    if (early !== null && this.ended === null) call.cancel(early.code, early.details);
  }

  onHeaders(headers: Metadata): void {
    this.#hasHeaders = true;
    const { onHeaders } = this.plan;
    if (onHeaders !== undefined) quietHeaders.run(() => onHeaders(headers));
  }

  onStatus(status: ToldStatus): void {
    this.#unfollowSignal?.();
    this.#unfollowParent?.();
    const { fault, hasMessage } = this;
    this.ended = { status, fault, hasHeaders: this.#hasHeaders, hasMessage };
    const { onStatus } = this.plan;
    if (onStatus !== undefined) {
      const { code, details } = fault ?? status;
      const { metadata, attempts = [] } = status;
      quietStatus.run(() => onStatus({ code, details, metadata, attempts }));
    }
    this.onEnd(this.ended);
  }

  /** Ends the call by our own word; the first such word counts. */
  fail(fault: Fault): void {
    if (this.ended !== null || this.fault !== null) return;
    this.fault = fault;
    this.call?.cancel(fault.code, fault.details);
  }

  /** Nothing is sent; the end is told when the caller has had its turn. */
  #refuse(fault: Fault): void {
    this.fail(fault);
    const { code, details, reason } = fault;
    const told = { code, details, metadata: new Metadata(), reason } as const;
    process.nextTick(() => this.onStatus({ ...told, origin: "local", processed: "no" }));
  }

  #abortBy(signal: AbortSignal): void {
    const { details, cause } = abortedBy(signal);
    this.abort(details, cause);
  }

  /** The caller wants no more of this call. */
  protected abort(details: string, cause: unknown): void {
    this.fail({ code: Status.CANCELLED, details, reason: "CANCELLED", cause });
  }
}

function abortedBy(signal: AbortSignal): Fault {
  const details = "The call was aborted by its signal";
  return { code: Status.CANCELLED, details, reason: "CANCELLED", cause: signal.reason };
}
