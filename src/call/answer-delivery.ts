import { AsyncResource } from "node:async_hooks";
import type { Metadata } from "@grpc/grpc-js";
import type { ReportedStatus } from "../core/index.js";

/** The answer of an attempt that may yet be repeated: nothing of it reaches the application before its status. */
interface HeldAnswer {
  readonly metadata: Metadata;
  readonly messages: Buffer[];
}

/** Hands the answer to whoever made the call, in that caller's async context, at once or held back until its status. */
export abstract class AnswerDelivery {
  /** Statuses arrive in the context of the socket, a timer or another call; the caller gets them in its own. */
  protected readonly context = new AsyncResource("HoldfastCall");
  #held: HeldAnswer | null = null;

  protected abstract deliverHeaders(metadata: Metadata): void;
  protected abstract deliverMessage(message: Buffer): void;
  protected abstract deliverStatus(status: ReportedStatus): void;

  protected hold(metadata: Metadata): void {
    this.#held = { metadata, messages: [] };
  }

  /** The attempt is to be repeated: its answer was none. */
  protected dropHeld(): void {
    this.#held = null;
  }

  protected handOverHeaders(metadata: Metadata, isInContext: boolean): void {
    this.#handOver(this.deliverHeaders, metadata, isInContext);
  }

  protected handOverMessage(message: Buffer, isInContext: boolean): void {
    if (this.#held !== null) this.#held.messages.push(message);
    else this.#handOver(this.deliverMessage, message, isInContext);
  }

  /** The end, after an answer that was held back until now. Call it in the caller's context. */
  protected handOverStatus(status: ReportedStatus): void {
    const held = this.#held;
    this.#held = null;
    if (held !== null) {
      this.deliverHeaders(held.metadata);
      for (const message of held.messages) this.deliverMessage(message);
    }
    this.deliverStatus(status);
  }

  /** News of a pooled connection comes in the caller's context by itself; a stub's own channel has a queue of its own. */
  #handOver<T>(deliver: (news: T) => void, news: T, isInContext: boolean): void {
    if (isInContext) deliver.call(this, news);
    else this.context.runInAsyncScope(deliver, this, news);
  }
}
