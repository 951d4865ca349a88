import { AsyncResource } from "node:async_hooks";
import type { Metadata } from "@grpc/grpc-js";
import type { ReportedStatus } from "../core/index.js";

/**
 * Hands the answer to whoever made the call, in that caller's async context (which it is itself: one object fewer per
 * call), at once or held back until its status. Statuses arrive in the context of the socket, a timer or another call.
 *
 * Here and in the classes on top of it private methods are TypeScript's, not `#`: those cost every object a field.
 */
export abstract class AnswerDelivery extends AsyncResource {
  /** The answer of an attempt that may yet be repeated: nothing of it reaches the application before its status. */
  #heldHeaders: Metadata | null = null;
  #heldMessage: Buffer | null = null;

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
  }

  protected handOverHeaders(metadata: Metadata, isInContext: boolean): void {
    this.tell(this.deliverHeaders, metadata, isInContext);
  }

  /**
   * @returns whether it was held back, handed over, or handed over after what was held: a second message, which no
   *   single answer has, so that from now on the caller sees all of it
   */
  protected handOverMessage(message: Buffer, isInContext: boolean): "held" | "told" | "released" {
    const headers = this.#heldHeaders;
    if (headers !== null && this.#heldMessage === null) {
      this.#heldMessage = message;
      return "held";
    }
    if (headers !== null) this.tell(this.deliverHeld, headers, isInContext);
    this.tell(this.deliverMessage, message, isInContext);
    return headers === null ? "told" : "released";
  }

  /** The end, after an answer that was held back until now. Call it in the caller's context. */
  protected handOverStatus(status: ReportedStatus): void {
    const headers = this.#heldHeaders;
    if (headers !== null) this.deliverHeld(headers);
    this.deliverStatus(status);
  }

  private deliverHeld(headers: Metadata): void {
    const message = this.#heldMessage;
    this.dropHeld();
    this.deliverHeaders(headers);
    if (message !== null) this.deliverMessage(message);
  }

  /** News of a pooled connection comes in the caller's context by itself; a stub's own channel has a queue of its own. */
  private tell<T>(deliver: (news: T) => void, news: T, isInContext: boolean): void {
    if (isInContext) deliver.call(this, news);
    else this.runInAsyncScope(deliver, this, news);
  }
}
