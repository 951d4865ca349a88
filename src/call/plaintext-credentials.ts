import { type CallCredentials, status as Status } from "@grpc/grpc-js";
import type { Outcome } from "../core/index.js";
import { isEmptyCredentials, type Slot } from "../pool/index.js";
import { notSent } from "./classify.js";
import { ownStatus } from "./own-outcomes.js";

/**
 * Credentials of a call on a connection in plaintext, where anybody on the way could take them: grpc-js would send them.
 *
 * @returns how the attempt fails, unsent; null where nothing speaks against them
 */
export function refusedInPlaintext(slot: Slot, credentials: CallCredentials | null): Outcome | null {
  if (credentials === null || slot.isPlaintext !== true || isEmptyCredentials(credentials)) return null;
  const details = `The call has credentials, and the connection to ${slot.address} is plaintext, where anybody on the way can read them: nothing was sent; use tls, or a unix: socket`;
  // Other gRPC clients say UNAUTHENTICATED, which is a server's word here (R163).
  return notSent(ownStatus(Status.INTERNAL, details), "METADATA_INVALID");
}
