import { Metadata, status as Status, type StatusObject } from "@grpc/grpc-js";
import { type Outcome, type Reason, saidBy } from "../core/index.js";
import type { PickFailure, Slot } from "../pool/index.js";
import { notSent } from "./classify.js";

/** A status of our own making. */
export function ownStatus(code: Status, details: string, metadata: Metadata = new Metadata()): StatusObject {
  return { code, details, metadata };
}

/** No attempt could be made. */
export function unavailable(details: string, reason: Reason, progress?: Outcome["progress"]): Outcome {
  return notSent(ownStatus(Status.UNAVAILABLE, details), reason, progress);
}

/** No endpoint could be picked. */
export function pickFailed({ details, reason, retryAt }: PickFailure): Outcome {
  const outcome = unavailable(details, reason);
  return retryAt === undefined ? outcome : { ...outcome, retryAt: new Date(retryAt) };
}

/** The deadline passed in a backoff: the last failure is named, because it is the cause (R12). */
export function deadlineInBackoff(last: Outcome): Outcome {
  const details = `Deadline exceeded while waiting to retry; last failure: ${last.details}`;
  return notSent(ownStatus(Status.DEADLINE_EXCEEDED, details, last.metadata), "DEADLINE_EXCEEDED");
}

/** The deadline passed in the queue for an endpoint. */
export function deadlineInQueue(target: string, missing: string): Outcome {
  const details = `Deadline exceeded while waiting for an endpoint of ${target}: ${missing}`;
  return notSent(ownStatus(Status.DEADLINE_EXCEEDED, details), "NO_READY_ENDPOINT");
}

/** grpc-js threw as the attempt began, so nothing was sent. */
export function failedStart(slot: Slot, error: unknown): Outcome {
  const details = `Failed to start on ${slot.address}: ${saidBy(error)}`;
  // What is no closed connection is a mistake in the call, which a repeat would only make again.
  if (!/shut down|closed/i.test(saidBy(error))) {
    return notSent(ownStatus(Status.INTERNAL, details), "METADATA_INVALID");
  }
  if (slot.isPooled) return unavailable(details, "CONNECTION_LOST", "unsent");
  // A stub's own channel throws only once it was closed, and goes on throwing.
  return notSent(ownStatus(Status.CANCELLED, details), "CLIENT_CLOSED");
}

/** Something threw before the first attempt: a signal, a parent call or metadata that is none. */
export function notBegun(error: unknown): Outcome {
  return notSent(
    ownStatus(Status.INTERNAL, `The call could not begin: ${saidBy(error)}`),
    "METADATA_INVALID",
  );
}

/** A stub's own channel compresses as it was made to. */
export function noCompression(): Outcome {
  const details =
    "compression cannot be chosen without a pool: not over the stub's own channel, give harden credentials for one; nor with passthrough:";
  return notSent(ownStatus(Status.INTERNAL, details), "CONFIG_INVALID");
}

/**
 * What a server said that does not speak gRPC, such as a proxy's page (R165): grpc-js does not look at the content type,
 * reads the page as messages and blames their size.
 * @returns null where the answer is gRPC
 */
export function notGrpc(headers: Metadata, status: StatusObject): StatusObject | null {
  const [contentType] = headers.get("content-type");
  if (contentType === undefined || /^application\/grpc($|[+;])/.test(String(contentType))) return null;
  // Any other HTTP status than 200 has a code of its own.
  if (/HTTP status/.test(status.details)) return null;
  const details = `The answer is ${contentType}, not gRPC: ${status.details}`;
  return { code: Status.UNKNOWN, details, metadata: status.metadata };
}

/** grpc-js 1.14 gives a status without code and details where it cannot read how an answer is compressed. */
export function readable(status: StatusObject): StatusObject {
  if ((status.code as Status | undefined) !== undefined) return status;
  const details = "The answer is compressed in a way that grpc-js cannot read";
  return { code: Status.INTERNAL, details, metadata: status.metadata ?? new Metadata() };
}
