import type { MethodDefinition, ServiceDefinition, status } from "@grpc/grpc-js";
import type { EndpointStats } from "../call/index.js";
import type { AttemptRecord, Processed, Reason } from "../core/index.js";

/**
 * How a call to one server failed: `timeout` its time was over; `unreachable` no connection could carry it, or the one
 * it was on ended; `rejected` the server answered with a status of its own; `invalid` the request could not be encoded;
 * `malformed` the answer could not be decoded; `too-large` it is over the size limit; `closed` we were closed, or the
 * caller cancelled.
 */
export type FailureKind =
  | "timeout"
  | "unreachable"
  | "rejected"
  | "invalid"
  | "malformed"
  | "too-large"
  | "closed";

/** A failed call, as a value. */
export interface LinkFailure {
  readonly ok: false;
  readonly kind: FailureKind;
  readonly code: status;
  readonly reason: Reason;
  /** Whether the server may have run it. */
  readonly processed: Processed;
  /** One sentence with the numbers. */
  readonly details: string;
  /** How long it took, in milliseconds. */
  readonly ms: number;
  readonly attempts: readonly AttemptRecord[];
}

export type LinkResult<Response> =
  | { readonly ok: true; readonly response: Response; readonly ms: number }
  | LinkFailure;

/**
 * Unary calls to one server: over gRPC, or over a `MemoryNetwork`. Below it there is at most transparent retry of what
 * never reached the server; above it stand Raft and the Clerk, which repeat by their own rules.
 */
export interface UnaryLink {
  readonly address: string;
  /**
   * Makes one call. Never throws; `done` is called exactly once, never synchronously, also after a cancel (`closed`).
   * @param timeoutMs limit of the whole call, in milliseconds
   * @returns cancels the call; does nothing when it has ended
   */
  call<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    timeoutMs: number,
    done: (result: LinkResult<Response>) => void,
  ): () => void;
  /** The endpoint behind the link, where there is one and it is known by now. */
  endpoint?(): EndpointStats | undefined;
  /** Ends what runs with `closed`, releases everything. May be called again. */
  close(): Promise<void>;
}

/** Makes the link to one address; `services` are those that will be called over it. */
export type LinkFactory = (address: string, services: readonly ServiceDefinition[]) => UnaryLink;
