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
  /** An array from the second message on, which a single response does not have. */
  #heldMessages: Buffer | Buffer[] | null = null;

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
    this.#heldMessages = null;
  }

  protected handOverHeaders(metadata: Metadata, isInContext: boolean): void {
    this.tell(this.deliverHeaders, metadata, isInContext);
  }

  /** @returns true when it is held back with the headers */
  protected handOverMessage(message: Buffer, isInContext: boolean): boolean {
    if (this.#heldHeaders === null) {
      this.tell(this.deliverMessage, message, isInContext);
      return false;
    }
    if (this.#heldMessages === null) this.#heldMessages = message;
    else this.#heldMessages = [this.#heldMessages, message].flat();
    return true;
  }

  /** The end, after an answer that was held back until now. Call it in the caller's context. */
  protected handOverStatus(status: ReportedStatus): void {
    const headers = this.#heldHeaders;
    if (headers !== null) this.deliverHeld(headers);
    this.deliverStatus(status);
  }

  private deliverHeld(headers: Metadata): void {
    const messages = this.#heldMessages;
    this.dropHeld();
    this.deliverHeaders(headers);
    if (Array.isArray(messages)) for (const message of messages) this.deliverMessage(message);
    else if (messages !== null) this.deliverMessage(messages);
  }

  /** News of a pooled connection comes in the caller's context by itself; a stub's own channel has a queue of its own. */
  private tell<T>(deliver: (news: T) => void, news: T, isInContext: boolean): void {
    if (isInContext) deliver.call(this, news);
    else this.runInAsyncScope(deliver, this, news);
  }
}
