import { ChannelCredentials } from "@grpc/grpc-js";
import {
  describeIssues,
  fieldsOf,
  type TlsOptions,
  tlsFileOptionsSchema,
  tlsOptionsSchema,
} from "../core/index.js";
import { parseTargets, type TargetList } from "../discovery/index.js";
import { isPlaintext, tlsProblems } from "../pool/index.js";
import { channelOptionsSchema, type ResolvedChannelOptions } from "./channel-options.js";
import { descriptorsSchema } from "./descriptor-options.js";
import { isUnixTarget } from "./local-target.js";
import { methodNames, unknownMethods } from "./method-names.js";
import { withPreset } from "./presets.js";
import { KnownMethods } from "./rpc-kind.js";

/** What a check found: the value, or every problem. A user sees the problems of all checks in one error. */
export type Checked<T> =
  | { readonly value: T; readonly problems: readonly [] }
  | { readonly value: null; readonly problems: readonly string[] };

export function checkOptions(given: unknown): Checked<ResolvedChannelOptions> {
  const options = withPreset(given);
  const result = channelOptionsSchema.safeParse(options, { reportInput: true });
  const issues = result.success ? [] : describeIssues(result.error.issues, channelOptionsSchema, options);
  const problems = [...issues, ...unusableFiles(given), ...undescribedMethods(given)];
  return result.success && problems.length === 0
    ? { value: result.data, problems: [] }
    : { value: null, problems };
}

/** Keys of `methods` that the user's own descriptors contradict. */
function undescribedMethods(given: unknown): readonly string[] {
  const { descriptors } = (given ?? {}) as { descriptors?: unknown };
  const described = descriptors === undefined ? null : descriptorsSchema.safeParse(descriptors);
  if (described?.success !== true) return [];
  const known = new KnownMethods();
  for (const method of described.data) known.define(method, method.isIdempotent);
  return unknownMethods(methodNames(given), known);
}

/** Files of `tls` that are none, or do not fit together: asked here, so that no first call finds out. */
function unusableFiles(given: unknown): readonly string[] {
  const { tls, discovery } = fieldsOf(given);
  const { consul, etcd } = fieldsOf(discovery);
  return [
    ...unusableTls("tls", tls, tlsOptionsSchema),
    ...unusableTls("discovery.consul.tls", fieldsOf(consul)["tls"], tlsFileOptionsSchema),
    ...unusableTls("discovery.etcd.tls", fieldsOf(etcd)["tls"], tlsFileOptionsSchema),
  ];
}

/** @param schema what refuses is told already, and may hold keys that are no business of ours */
function unusableTls(
  place: string,
  given: unknown,
  schema: typeof tlsOptionsSchema | typeof tlsFileOptionsSchema,
): readonly string[] {
  if (given === undefined || !schema.safeParse(given).success) return [];
  const tls = given as TlsOptions;
  return tlsProblems(tls).map(({ key, message }) => {
    const path = key.endsWith("File") && tls[key] !== undefined ? ` is ${JSON.stringify(tls[key])}` : "";
    return `${place}.${key}${path}: ${message}`;
  });
}

/** One target, or a list of them. */
export function checkTarget(target: unknown): Checked<TargetList> {
  if (typeof target !== "string" && !Array.isArray(target)) {
    const shown = target === null ? "null" : typeof target;
    return {
      value: null,
      problems: [`target is ${shown}; allowed: a string such as dns:///host:port, or a list of them`],
    };
  }
  const parsed = parseTargets(target);
  return parsed.ok ? { value: parsed, problems: [] } : { value: null, problems: parsed.problems };
}

/**
 * A pool dials, so it needs to know how; and what `callCredentials` give is nothing to be sent in plaintext, where anybody
 * on the way reads it and has it.
 *
 * @param target null where it is not known, or bad
 */
export function checkCredentials(options: unknown, target: TargetList | null = null): readonly string[] {
  const { credentials, tls, insecure, callCredentials } = (options ?? {}) as Partial<Record<string, unknown>>;
  if (credentials === undefined && tls === undefined && insecure === undefined) {
    return ["credentials is missing; give tls, grpc-js ChannelCredentials, or insecure: true for plaintext"];
  }
  const isOpen = insecure === true || (credentials instanceof ChannelCredentials && isPlaintext(credentials));
  if (!isOpen || callCredentials === undefined || target === null || isUnixTarget(target)) return [];
  return [
    `callCredentials are set, and ${target.canonical} is plaintext, where anybody on the way can read them; use tls, or unix: sockets`,
  ];
}
