import type { CallCredentials } from "@grpc/grpc-js";
import type { InnerCall } from "./inner-call.js";
import type { Standing } from "./standing.js";

/** Failures with one cause, such as timeouts that overlap: they count once against breaker and throttle. */
export interface Incident {
  isCounted: boolean;
}

/** A place where attempts run: one connection. */
export interface Slot {
  readonly address: string;
  readonly standing: Standing;
  /** Bytes the peer has sent so far. */
  readonly bytesRead: number;
  /** True once its socket is gone, or the peer has said goodbye. */
  readonly isLost: boolean;
  /** True once its HTTP/2 session has ended, all streams with it; a GOAWAY without an error lets running ones go on. */
  readonly isSessionOver: boolean;
  /** What `getPeer()` of a call says before its stream exists; null where that proves nothing. */
  readonly peerWhileQueued: string | null;
  /** True for a connection of the pool, false for a stub's own channel, which picks and dials by itself. */
  readonly isPooled: boolean;
  /** Credentials that grpc-js asks for every attempt here, beside those of the call; absent where they cannot be seen. */
  readonly callCredentials?: CallCredentials | null;
  /** True for TCP without TLS, where credentials of a call are not sent; absent where it cannot be seen. */
  readonly isPlaintext?: boolean;
  /**
   * Opens one attempt.
   * @param deadline epoch ms, `Infinity` for none
   * @throws when it is closed already; nothing was sent then
   */
  createCall(method: string, deadline: number, host: string | null | undefined): InnerCall;
  callStarted(): void;
  callEnded(): void;
  writeStarted(): void;
  writeEnded(): void;
  /**
   * An attempt ran out of time: the connection becomes suspect when it was silent all the while.
   * @returns the same object for timeouts that overlap the first of them, so that they count once
   */
  noteTimeout(startedAt: number, bytesAtStart: number): Incident;
  /**
   * A call ended because the connection did.
   * @returns the same object for all calls that end with it
   */
  noteLoss(): Incident;
}
