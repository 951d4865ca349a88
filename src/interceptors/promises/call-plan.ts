import { AsyncResource } from "node:async_hooks";
import { type CallOptions, Metadata, propagate, status as Status } from "@grpc/grpc-js";
import { configInvalid, problemsError, ResilienceError, saidBy } from "../../core/index.js";
import { describe } from "../stub-shape.js";
import type { PromiseCallOptions, PromiseExtras } from "./promise-types.js";
import { settingsRefused } from "./settings-problems.js";
import type { SettingsReader } from "./settings-reader.js";

/** What is known of a call before it begins. */
export interface CallPlan extends Pick<PromiseExtras, "onHeaders" | "onStatus"> {
  readonly options: CallOptions;
  readonly metadata: Metadata;
  readonly signal: AbortSignal | undefined;
}

type Check = readonly [isAllowed: (value: never) => boolean, allowed: string];

const CHECKS = {
  metadata: [isObject, "a Metadata, or a record of keys and values"],
  onHeaders: [isFunction, "a function"],
  onStatus: [isFunction, "a function"],
  parent: [isServerCall, "the call that a handler of a grpc-js server was given"],
  propagateFlags: [isFlags, "bits of grpc-js's propagate, an integer from 0 to 65535"],
  credentials: [isCallCredentials, "a grpc-js CallCredentials"],
  signal: [isSignal, "an AbortSignal"],
} as const satisfies Record<string, Check>;

const NO_OPTIONS: CallOptions = {};

/**
 * Reads the options of one call. For calls without any it costs next to nothing.
 *
 * @throws ResilienceError `CONFIG_INVALID` that lists every problem, `METADATA_INVALID`
 */
export function planOf(given: PromiseCallOptions | undefined, readSettings: SettingsReader): CallPlan {
  if (given === undefined) {
    const metadata = new Metadata();
    return { options: NO_OPTIONS, metadata, signal: undefined, onHeaders: undefined, onStatus: undefined };
  }
  if (!isObject(given) || isMetadata(given)) throw noOptions(given);
  const { metadata, onHeaders, onStatus, signal } = given;
  const options = isSound(given) ? readSettings(given) : refuse(given, readSettings);
  return {
    options: withExtras(options, given),
    metadata: metadataOf(metadata),
    signal,
    onHeaders: onHeaders === undefined ? undefined : AsyncResource.bind(onHeaders),
    onStatus: onStatus === undefined ? undefined : AsyncResource.bind(onStatus),
  };
}

/** What grpc-js takes beside the deadline that carries the settings. */
function withExtras(settings: CallOptions, given: PromiseCallOptions): CallOptions {
  const { parent, propagateFlags, credentials } = given;
  if (parent === undefined && credentials === undefined) return settings;
  return {
    ...settings,
    ...(parent !== undefined && { parent }),
    ...(propagateFlags !== undefined && { propagate_flags: propagateFlags }),
    ...(credentials !== undefined && { credentials }),
  };
}

function isSound(given: PromiseCallOptions): boolean {
  const { metadata, onHeaders, onStatus, parent, propagateFlags, credentials, signal } = given;
  return (
    (metadata === undefined || isObject(metadata)) &&
    (parent === undefined || isServerCall(parent)) &&
    (propagateFlags === undefined || isFlags(propagateFlags)) &&
    (credentials === undefined || isCallCredentials(credentials)) &&
    (onHeaders === undefined || isFunction(onHeaders)) &&
    (onStatus === undefined || isFunction(onStatus)) &&
    (signal === undefined || isSignal(signal))
  );
}

function refuse(given: PromiseCallOptions, readSettings: SettingsReader): never {
  const problems = Object.entries(CHECKS).flatMap(([key, [isAllowed, allowed]]) => {
    const value: unknown = Reflect.get(given, key);
    const isFine = value === undefined || isAllowed(value);
    return isFine ? [] : [`${key} is ${describe(value)}; allowed: ${allowed}`];
  });
  try {
    readSettings(given);
  } catch (error) {
    throw settingsRefused(error, problems);
  }
  throw problemsError("promises", problems);
}

function noOptions(given: unknown): Error {
  const hint = isMetadata(given) ? "; metadata goes into them: { metadata }" : "";
  const callback = isFunction(given) ? "; the answer comes as a promise, not by callback" : "";
  return configInvalid(
    `promises: the options of a call are ${describe(given)}; allowed: an object${hint}${callback}`,
  );
}

function metadataOf(given: PromiseExtras["metadata"]): Metadata {
  if (given === undefined) return new Metadata();
  if (isMetadata(given)) return given;
  const metadata = new Metadata();
  for (const [key, values] of Object.entries(given)) {
    try {
      for (const value of Array.isArray(values) ? values : [values]) metadata.add(key, checkedValue(value));
    } catch (error) {
      // Not as the cause: grpc-js quotes the value.
      throw new ResilienceError({
        reason: "METADATA_INVALID",
        code: Status.INTERNAL,
        details: `The metadata ${JSON.stringify(key)} cannot be sent: ${saidBy(error)}`,
      });
    }
  }
  return metadata;
}

/** grpc-js would send the text of anything: "undefined" for a value that was forgotten. */
function checkedValue(value: unknown): string | Buffer {
  if (typeof value === "string" || Buffer.isBuffer(value)) return value;
  throw new TypeError(`a value is ${describe(value)}; allowed: a string or a Buffer`);
}

/** Not `instanceof`: it may come from another copy of grpc-js, which knows how to read it. */
function isMetadata(value: unknown): value is Metadata {
  return value instanceof Metadata || (isObject(value) && isFunction(Reflect.get(value, "getMap")));
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}

function isServerCall(value: unknown): boolean {
  return hasMethods(value, ["getDeadline", "on", "removeListener"]);
}

function isCallCredentials(value: unknown): boolean {
  return hasMethods(value, ["generateMetadata", "compose"]);
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  return isObject(value) && names.every((name) => isFunction(Reflect.get(value, name)));
}

function isFlags(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= propagate.DEFAULTS;
}

function isSignal(value: unknown): boolean {
  return value instanceof AbortSignal;
}
