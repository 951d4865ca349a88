import type { CallCredentials, ChannelInterface } from "@grpc/grpc-js";
import type { BreakerStateWord } from "../core/index.js";

export type InnerCall = ReturnType<ChannelInterface["createCall"]>;

/**
 * What an endpoint's breaker is to those who pick and call: asked before, told after. The pool declares it, the
 * breaker fits it, so that neither imports the other.
 */
export interface EndpointGate {
  readonly state: BreakerStateWord;
  /** Monotonic ms at which a probe will be let through; null unless open. */
  readonly retryAt: number | null;
  admits(): boolean;
  /** Told of a pick; true when the attempt is a probe. */
  acquire(): boolean;
  succeed(isProbe: boolean): void;
  /** @param isOfConnection true for a failed dial or a lost connection */
  fail(isProbe: boolean, isOfConnection?: boolean): void;
  abandon(isProbe: boolean): void;
  /** A fresh connection is evidence from outside that the endpoint is back. */
  reconnected(): void;
}

/** A gate that never closes, where breakers are off. */
export const openGate: EndpointGate = {
  state: "closed",
  retryAt: null,
  admits: () => true,
  acquire: () => false,
  succeed: () => {},
  fail: () => {},
  abandon: () => {},
  reconnected: () => {},
};

/** Failures with one cause, such as timeouts that overlap: they count once against breaker and throttle. */
export interface Incident {
  isCounted: boolean;
}

/** A place where attempts run: one connection. */
export interface Slot {
  readonly address: string;
  readonly gate: EndpointGate;
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
  /** Monotonic ms at which the last attempt that succeeded here was started; 0 before the first. */
  lastSuccessAt: number;
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
