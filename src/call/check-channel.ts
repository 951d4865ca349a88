import { describeIssues } from "../core/index.js";
import { parseTarget, type ValidTarget } from "../discovery/index.js";
import { channelOptionsSchema, type ResolvedChannelOptions } from "./channel-options.js";
import { withPreset } from "./presets.js";

/** What a check found: the value, or every problem. A user sees the problems of all checks in one error. */
export type Checked<T> =
  | { readonly value: T; readonly problems: readonly [] }
  | { readonly value: null; readonly problems: readonly string[] };

export function checkOptions(given: unknown): Checked<ResolvedChannelOptions> {
  const options = withPreset(given);
  const result = channelOptionsSchema.safeParse(options, { reportInput: true });
  if (result.success) return { value: result.data, problems: [] };
  return { value: null, problems: describeIssues(result.error.issues, channelOptionsSchema, options) };
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
