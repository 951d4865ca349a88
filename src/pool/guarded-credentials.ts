import type { IncomingHttpHeaders } from "node:http2";
import { CallCredentials, Metadata, status as Status } from "@grpc/grpc-js";
import { saidBy } from "../core/index.js";

type MetadataOptions = Parameters<CallCredentials["generateMetadata"]>[0];

/** Marks credentials that need no further guard. */
const GUARDED = Symbol("holdfast.guarded");
const EMPTY = CallCredentials.createEmpty();

/** What a control plane may not say (R164): it would read as the word of the application. */
const APPLICATIONS_CODES: readonly number[] = [
  Status.OK,
  Status.INVALID_ARGUMENT,
  Status.NOT_FOUND,
  Status.ALREADY_EXISTS,
  Status.FAILED_PRECONDITION,
  Status.ABORTED,
  Status.OUT_OF_RANGE,
  Status.DATA_LOSS,
];

/**
 * Call credentials whose failure is the failure of that one call, whatever the user's callback does: grpc-js 1.14 ends
 * the process where it fails with `null`, or gives what is no `Metadata`, and hands any number in `code` to the caller as a status code,
 * that of an HTTP library too.
 */
export function guardCallCredentials(credentials: CallCredentials): CallCredentials {
  // grpc-js asks nothing at all of one that it knows to be empty.
  if (GUARDED in credentials || isEmptyCredentials(credentials)) return credentials;
  const guarded = CallCredentials.createFromMetadataGenerator((options, callback) => {
    generate(credentials, options).then(
      (metadata) => callback(null, metadata),
      (error: unknown) => callback(asStatusError(error)),
    );
  });
  return Object.assign(guarded, { [GUARDED]: true });
}

/** True for call credentials that add nothing. Their class is not public. */
export function isEmptyCredentials(credentials: CallCredentials): boolean {
  return credentials instanceof EMPTY.constructor;
}

async function generate(credentials: CallCredentials, options: MetadataOptions): Promise<Metadata> {
  const given: unknown = await credentials.generateMetadata(options);
  const metadata = toMetadata(given);
  if (metadata === null)
    throw credentialsInvalid(`call credentials gave ${nameOf(given)}; allowed: Metadata`);
  return metadata;
}

/** The same as this copy of grpc-js has it, or null for what is no `Metadata`. */
export function toMetadata(given: unknown): Metadata | null {
  if (given instanceof Metadata) return given;
  if (typeof given !== "object" || given === null || !("toHttp2Headers" in given)) return null;
  return Metadata.fromHttp2Headers((given as Metadata).toHttp2Headers() as IncomingHttpHeaders);
}

/** What a value is, without its content, which may be a secret. */
export function nameOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value !== "object") return `a value of type ${typeof value}`;
  return isPlainObject(value) ? "an object" : `a ${value.constructor?.name ?? "strange object"}`;
}

export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** For what no repeat would mend. */
export function credentialsInvalid(message: string): Error {
  return Object.assign(new Error(message), { code: Status.INTERNAL });
}

/** grpc-js makes `Getting metadata from plugin failed with error: <message>` of it, with its code. */
function asStatusError(error: unknown): Error {
  const said = saidBy(error);
  const code = codeOf(error);
  // Otherwise grpc-js would put its own words first.
  if (APPLICATIONS_CODES.includes(code)) return credentialsInvalid(`${code} ${Status[code]}: ${said}`);
  // What was left out of the text must not come back as the cause.
  const isWhole = error instanceof Error && said === error.message;
  return Object.assign(new Error(said, isWhole ? { cause: error } : {}), { code });
}

/** A gRPC status as it is; everything else says no more than that there are no credentials now. */
function codeOf(error: unknown): Status {
  const code: unknown =
    typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "number" && Status[code] !== undefined ? code : Status.UNAVAILABLE;
}
