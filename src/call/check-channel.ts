import { describeIssues } from "../core/index.js";
import { parseTarget, type ValidTarget } from "../discovery/index.js";
import { channelOptionsSchema, type ResolvedChannelOptions } from "./channel-options.js";
import { descriptorsSchema } from "./descriptor-options.js";
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
  const problems = [...issues, ...undescribedMethods(given)];
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

export function checkTarget(target: unknown): Checked<ValidTarget> {
  if (typeof target !== "string") {
    const shown = target === null ? "null" : typeof target;
    return { value: null, problems: [`target is ${shown}; allowed: a string such as dns:///host:port`] };
  }
  const parsed = parseTarget(target);
  return parsed.ok ? { value: parsed, problems: [] } : { value: null, problems: parsed.problems };
}

/** A pool dials, so it needs to know how. */
export function checkCredentials(options: unknown): readonly string[] {
  const { credentials, insecure } = (options ?? {}) as { credentials?: unknown; insecure?: unknown };
  if (credentials !== undefined || insecure !== undefined) return [];
  return ["credentials is missing; give grpc-js ChannelCredentials, or insecure: true for plaintext"];
}
