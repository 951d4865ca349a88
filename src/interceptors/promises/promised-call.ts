import { Metadata, status as Status } from "@grpc/grpc-js";
import { onAbort } from "../../core/index.js";
import { Quietly } from "../plain/quietly.js";
import type { CallEnd } from "./call-failure.js";
import type { CallPlan } from "./call-plan.js";
import type { CallWay } from "./call-way.js";
import type { CallListener, Fault, OpenCall, ToldStatus } from "./open-call.js";

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
  #unfollow: (() => void) | null = null;

  constructor(private readonly plan: CallPlan) {}

  protected abstract onEnd(end: CallEnd): void;
  abstract onMessage(message: unknown, bytes: number): void;
  abstract onSent(): void;

  /** Nothing is sent when the call is aborted already. */
  begin(way: CallWay, request: unknown): void {
    const { signal } = this.plan;
    if (signal !== undefined && !this.#follow(signal)) return;
    const call = way.open(this.plan, this, request);
    this.call = call;
    // Aborted by what ran as it was opened, when there was nothing yet to cancel.
    const { fault } = this;
    if (fault !== null && this.ended === null) call.cancel(fault.code, fault.details);
  }

  onHeaders(headers: Metadata): void {
    this.#hasHeaders = true;
    const { onHeaders } = this.plan;
    if (onHeaders !== undefined) quietHeaders.run(() => onHeaders(headers));
  }

  onStatus(status: ToldStatus): void {
    this.#unfollow?.();
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

  /** @returns false when the signal is aborted already: nothing is to be sent then */
  #follow(signal: AbortSignal): boolean {
    const abort = (): void => this.abort("The call was aborted by its signal", signal.reason);
    if (signal.aborted) {
      abort();
      const details = "The call was aborted by its signal before it began";
      const told = { code: Status.CANCELLED, details, metadata: new Metadata() };
      const report = { reason: "CANCELLED", origin: "local", processed: "no" } as const;
      process.nextTick(() => this.onStatus({ ...told, ...report }));
      return false;
    }
    this.#unfollow = onAbort(signal, abort);
    return true;
  }

  /** The caller wants no more of this call. */
  protected abort(details: string, cause: unknown): void {
    this.fail({ code: Status.CANCELLED, details, reason: "CANCELLED", cause });
  }
}
