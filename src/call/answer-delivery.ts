import { AsyncResource } from "node:async_hooks";
import type { Metadata } from "@grpc/grpc-js";
import type { ReportedStatus } from "../core/index.js";

/**
 * Hands the answer to whoever made the call, in that caller's async context (which it is itself: one object fewer per
 * call), at once or held back until its status. Statuses arrive in the context of the socket, a timer or another call.
 */
export abstract class AnswerDelivery extends AsyncResource {
  /** The answer of an attempt that may yet be repeated: nothing of it reaches the application before its status. */
  #heldHeaders: Metadata | null = null;
  #heldMessage: Buffer | null = null;
  /** A second and further message, which a single response does not have. */
  #heldMore: Buffer[] | null = null;

  constructor() {
    super("HoldfastCall");
  }

  protected abstract deliverHeaders(metadata: Metadata): void;
  protected abstract deliverMessage(message: Buffer): void;
  protected abstract deliverStatus(status: ReportedStatus): void;

  protected hold(metadata: Metadata): void {
    this.#heldHeaders = metadata;
  }

  /** The attempt is to be repeated: its answer was none. */
  protected dropHeld(): void {
    this.#heldHeaders = null;
    this.#heldMessage = null;
    this.#heldMore = null;
  }

  protected handOverHeaders(metadata: Metadata, isInContext: boolean): void {
    this.#handOver(this.deliverHeaders, metadata, isInContext);
  }

  protected handOverMessage(message: Buffer, isInContext: boolean): void {
    if (this.#heldHeaders === null) this.#handOver(this.deliverMessage, message, isInContext);
    else if (this.#heldMessage === null) this.#heldMessage = message;
    else this.#heldMore = [...(this.#heldMore ?? []), message];
  }

  /** The end, after an answer that was held back until now. Call it in the caller's context. */
  protected handOverStatus(status: ReportedStatus): void {
    const headers = this.#heldHeaders;
    if (headers !== null) this.#deliverHeld(headers);
    this.deliverStatus(status);
  }

  #deliverHeld(headers: Metadata): void {
    const message = this.#heldMessage;
    const more = this.#heldMore;
    this.dropHeld();
    this.deliverHeaders(headers);
    if (message !== null) this.deliverMessage(message);
    if (more !== null) for (const further of more) this.deliverMessage(further);
  }

  /** News of a pooled connection comes in the caller's context by itself; a stub's own channel has a queue of its own. */
  #handOver<T>(deliver: (news: T) => void, news: T, isInContext: boolean): void {
    if (isInContext) deliver.call(this, news);
    else this.runInAsyncScope(deliver, this, news);
  }
}
