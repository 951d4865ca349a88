import type { Metadata, ServiceError, StatusObject } from "@grpc/grpc-js";
import { Metadata as GrpcMetadata, status as Status } from "@grpc/grpc-js";
import type { AttemptRecord, CommandIds, FailureReport, ReportedStatus } from "./outcome.js";
import type { Origin, Processed, Reason } from "./reasons.js";

/** Marks our errors, and the errors grpc-js makes of our statuses, across copies of this package. */
const BRAND = Symbol.for("holdfast.error");

/** Attempts that `toJSON()` keeps, so that a log line stays a line. */
const JSON_ATTEMPTS = 20;
/** Characters of each text that it keeps: a server may write many kilobytes of details. */
const JSON_TEXT = 1_000;

export interface ResilienceErrorInit {
  readonly reason: Reason;
  readonly code: Status;
  readonly details: string;
  readonly metadata?: Metadata;
  readonly origin?: Origin;
  readonly processed?: Processed;
  readonly attempts?: readonly AttemptRecord[];
  readonly command?: CommandIds | undefined;
  readonly cause?: unknown;
}

/**
 * The one error class, shaped like grpc-js's `ServiceError`. Errors of calls on callback stubs are made by grpc-js
 * itself from our status and are no instances by prototype; `instanceof ResilienceError` and `isReason` know them
 * by their mark.
 */
export class ResilienceError extends Error implements ServiceError, FailureReport {
  override readonly name: string = "ResilienceError";
  readonly reason: Reason;
  readonly code: Status;
  readonly details: string;
  readonly metadata: Metadata;
  readonly origin: Origin;
  readonly processed: Processed;
  readonly attempts: readonly AttemptRecord[];
  /** The ids of a Clerk's write; undefined for everything else. */
  readonly command: CommandIds | undefined;

  constructor(init: ResilienceErrorInit) {
    super(`${init.reason}: ${init.details}`, init.cause === undefined ? undefined : { cause: init.cause });
    this.reason = init.reason;
    this.code = init.code;
    this.details = init.details;
    this.metadata = init.metadata ?? new GrpcMetadata();
    this.origin = init.origin ?? "local";
    this.processed = init.processed ?? "no";
    this.attempts = init.attempts ?? [];
    this.command = init.command;
  }

  get explanation(): string {
    return this.details;
  }

  /** A bounded summary for logs: no metadata values, at most 20 attempts. */
  toJSON(): object {
    if (this.command === undefined) return summarise(this);
    // As text: JSON has no integers of 64 bits.
    const { clientId, commandId } = this.command;
    return { ...summarise(this), command: { clientId: `${clientId}`, commandId: `${commandId}` } };
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && BRAND in value;
  }
}
// On the prototype, so that the mark neither costs a field nor shows up in logs.
Object.defineProperty(ResilienceError.prototype, BRAND, { value: true });

/** True for an error of this library, or a grpc-js error made from its status, with exactly this reason. */
export function isReason(error: unknown, reason: Reason): error is ServiceError & FailureReport {
  return error instanceof ResilienceError && error.reason === reason;
}

/**
 * Puts the report on a status without touching `code`, `details` and `metadata`. grpc-js copies own enumerable
 * fields, symbols too, onto the `ServiceError`; a `message`, `name` or `stack` here would break that error.
 */
export function reportedStatus(status: StatusObject, report: FailureReport): ReportedStatus {
  return { ...status, ...report, toJSON: statusToJSON, [BRAND]: true } as ReportedStatus;
}

/** The error for input refused at construction. Code INTERNAL, because R163 forbids us INVALID_ARGUMENT. */
export function configInvalid(details: string, cause?: unknown): ResilienceError {
  return new ResilienceError({ reason: "CONFIG_INVALID", code: Status.INTERNAL, details, cause });
}

function statusToJSON(this: StatusObject & FailureReport): object {
  return summarise(this);
}

function summarise(failure: StatusObject & FailureReport): object {
  return {
    code: failure.code,
    details: cut(failure.details),
    reason: failure.reason,
    origin: failure.origin,
    processed: failure.processed,
    explanation: cut(failure.explanation),
    metadataKeys: Object.keys(failure.metadata.getMap()),
    attempts: failure.attempts
      .slice(0, JSON_ATTEMPTS)
      .map((record) => ({ ...record, details: cut(record.details), next: cut(record.next) })),
    attemptsMade: failure.attempts.length,
  };
}

function cut(text: string): string {
  return text.length <= JSON_TEXT ? text : `${text.slice(0, JSON_TEXT)}...`;
}

/** grpc-js quotes a metadata value that it refuses, which may be a token. */
const QUOTED_VALUE = /Metadata string value ".*" contains/s;

/** What a thrown thing says, whatever it is, without values of metadata. */
export function saidBy(error: unknown): string {
  try {
    const said = error instanceof Error ? error.message : String(error);
    return said.replace(QUOTED_VALUE, "Metadata string value contains");
  } catch {
    return "an error without a text";
  }
}
