import type { Metadata, StatusObject } from "@grpc/grpc-js";
import { isReported } from "./local-failure.js";

const PREVIOUS_ATTEMPTS_KEY = "grpc-previous-rpc-attempts";

/** Which attempt a call is to the interceptors above it: a retry among them sets the header of gRFC A6. */
export function attemptNumber(metadata: Metadata): number {
  const previous = Number(metadata.get(PREVIOUS_ATTEMPTS_KEY)[0] ?? 0);
  return Number.isInteger(previous) && previous > 0 ? previous + 1 : 1;
}

/** The last attempt that a channel or an interceptor below has told of, else the call itself. */
export function lastAttempt(
  status: StatusObject,
  own: number,
  peer: string,
): { readonly attempt: number; readonly endpoint: string | null } {
  const last = isReported(status) ? status.attempts.at(-1) : undefined;
  const ownEndpoint = peer === "unknown" ? null : peer;
  if (last === undefined) return { attempt: own, endpoint: ownEndpoint };
  return { attempt: Math.max(own, last.attempt), endpoint: last.endpoint ?? ownEndpoint };
}
