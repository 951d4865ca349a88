import { checkTarget } from "../../call/index.js";
import { describeIssues, type Endpoint, problemsError } from "../../core/index.js";
import type { ResolvedTarget } from "../../discovery/index.js";
import { channelBeneath, channelProblems, fieldsOf } from "../channel-beneath.js";
import { checkAddress } from "../check-raft-peer.js";
import { clerkOptionsSchema, type ResolvedClerkOptions } from "../clerk-options.js";

/** Options of a Clerk that hold, and what they mean for the rest. */
export interface CheckedClerk {
  readonly options: ResolvedClerkOptions;
  /** Null when the servers are a list. */
  readonly targets: readonly ResolvedTarget[] | null;
  readonly servers: readonly Endpoint[];
  readonly channel: Record<string, unknown>;
}

/**
 * @param isOverGrpc false where links are given, which need no credentials
 * @throws ResilienceError `CONFIG_INVALID` that lists every problem
 */
export function checkClerk(input: unknown, isOverGrpc: boolean): CheckedClerk {
  const result = clerkOptionsSchema.safeParse(input, { reportInput: true });
  const problems = result.success ? [] : describeIssues(result.error.issues, clerkOptionsSchema, input);
  const given = fieldsOf(input);
  const targets = checkTargets(given["target"], problems);
  const servers = checkServers(given["servers"], problems);
  const channel = channelBeneath("eraft", input);
  if (isOverGrpc) problems.push(...channelProblems(channel));
  if (!result.success || problems.length > 0) throw problemsError("createClerk", problems);
  return { options: result.data, targets, servers, channel };
}

function checkTargets(given: unknown, problems: string[]): readonly ResolvedTarget[] | null {
  // The schema has told of what is neither.
  if (typeof given !== "string" && !Array.isArray(given)) return null;
  const { value, problems: found } = checkTarget(given);
  problems.push(...found);
  const targets = (value?.targets ?? []).filter((target) => target.scheme !== "passthrough");
  if (targets.length < (value?.targets.length ?? 0)) {
    problems.push(
      `target is ${JSON.stringify(given)}; a Clerk has to know its servers, which passthrough: hides`,
    );
  }
  return targets;
}

function checkServers(servers: unknown, problems: string[]): readonly Endpoint[] {
  const endpoints = new Map<string, Endpoint>();
  for (const [place, text] of Array.isArray(servers) ? servers.entries() : []) {
    // The schema has told of what is no string.
    if (typeof text !== "string") continue;
    const address = checkAddress(`servers.${place}`, text, problems);
    if (address === null) continue;
    if (endpoints.has(address))
      problems.push(`servers.${place} is ${JSON.stringify(text)}, which stands there twice`);
    endpoints.set(address, { address });
  }
  return [...endpoints.values()];
}
