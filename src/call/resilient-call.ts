import {
  type CallCredentials,
  type InterceptingListener,
  type Metadata,
  status as Status,
} from "@grpc/grpc-js";
import type { ReportedStatus } from "../core/index.js";
import type { InnerCall } from "../pool/index.js";
import { AttemptMachine } from "./attempt-machine.js";
import type { CallEnv } from "./call-env.js";
import { CallLimits, type ParentCall } from "./call-limits.js";
import { settingsOf } from "./call-settings.js";

let lastCallNumber = 0;

/** The caller's side of a call: what grpc-js's `Client` and its interceptors talk to. One object per call. */
export class ResilientCall extends AttemptMachine implements InnerCall {
  #listener: InterceptingListener | null = null;
  readonly #number = ++lastCallNumber;

  constructor(
    env: CallEnv,
    method: string,
    deadline: Date | number,
    host: string | null | undefined,
    parent: ParentCall | null,
    propagateFlags: number | null | undefined,
  ) {
    const limits = new CallLimits(env.clock, settingsOf(deadline), deadline, parent, propagateFlags);
    super(env, method, host, limits);
  }

  start(metadata: Metadata, listener: InterceptingListener): void {
    this.metadata = metadata;
    this.#listener = listener;
    this.startSoon();
  }

  sendMessageWithContext(context: { callback?: () => void; flags?: number }, message: Buffer): void {
    if (this.isDone) {
      if (context.callback !== undefined) process.nextTick(context.callback);
      return;
    }
    const { maxSendMessageBytes } = this.env;
    if (message.length > maxSendMessageBytes) {
      const details = `the request message has ${message.length} bytes; maxSendMessageBytes allows ${maxSendMessageBytes}`;
      if (context.callback !== undefined) process.nextTick(context.callback);
      return this.end(Status.RESOURCE_EXHAUSTED, details, "MESSAGE_TOO_LARGE");
    }
    this.outbox.add({ message, flags: context.flags, callback: context.callback });
    this.running?.pump();
  }

  startRead(): void {
    this.isReading = true;
    this.running?.startRead();
  }

  halfClose(): void {
    this.outbox.isHalfClosed = true;
    this.running?.pump();
  }

  cancelWithStatus(code: Status, details: string): void {
    this.end(code, details, "CANCELLED");
  }

  setCredentials(credentials: CallCredentials): void {
    this.credentials = credentials;
  }

  getPeer(): string {
    return this.lastAttempt?.inner?.getPeer() ?? this.env.target;
  }

  getAuthContext(): ReturnType<InnerCall["getAuthContext"]> {
    return this.lastAttempt?.inner?.getAuthContext() ?? null;
  }

  getCallNumber(): number {
    return this.#number;
  }

  protected override deliverMessage(message: Buffer): void {
    this.#listener?.onReceiveMessage(message);
  }

  protected override deliverHeaders(metadata: Metadata): void {
    this.#listener?.onReceiveMetadata(metadata);
  }

  protected override deliverStatus(status: ReportedStatus): void {
    this.#listener?.onReceiveStatus(status);
  }
}
