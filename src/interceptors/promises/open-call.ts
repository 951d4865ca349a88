import type { Metadata, status as Status, StatusObject } from "@grpc/grpc-js";
import type { FailureReport, Reason } from "../../core/index.js";

/** The end of a call as grpc-js tells it; our report is missing where an interceptor, or a plain stub, made it. */
export type ToldStatus = StatusObject & Partial<FailureReport>;

/** Why a call ends although nobody below said so. */
export interface Fault {
  readonly code: Status;
  readonly details: string;
  readonly reason: Reason;
  readonly cause?: unknown;
}

/** A call under way: straight on the channel, or through the stub's own method. Never throws. */
export interface OpenCall {
  /** Tells `onSent` once, in order. */
  send(message: unknown): void;
  halfClose(): void;
  /** Asks for one more message. */
  read(): void;
  cancel(code: Status, details: string): void;
}

/** Hears what becomes of an `OpenCall`; the status comes last, and once. */
export interface CallListener {
  onHeaders(headers: Metadata): void;
  /** @param bytes its size on the wire; `Infinity` when nothing is to be read ahead of it */
  onMessage(message: unknown, bytes: number): void;
  /** The transport took the oldest message that was sent, or will never take it: a status follows then. */
  onSent(): void;
  onStatus(status: ToldStatus): void;
  /** Something is wrong with the call itself: it is to be cancelled. */
  fail(fault: Fault): void;
}
