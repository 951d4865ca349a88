import { checkCredentials, checkOptions } from "../call/index.js";
import { clerkChannelRefusals, raftChannelRefusals } from "./channel-beneath-options.js";

/** Keys that a user gives to a peer or a Clerk, and those give to their channels. */
const OWN_KEYS = ["credentials", "insecure"] as const;

/** Keys that the schema of a peer's or a Clerk's options refuses, by their preset. */
const REFUSED = { raft: Object.keys(raftChannelRefusals), eraft: Object.keys(clerkChannelRefusals) } as const;

/**
 * Options of the channels below a peer or a Clerk: its preset, what it needs, what the user says under `channel`, and how
 * it is secured. Built of the raw input, so that a problem elsewhere hides none in here.
 */
export function channelBeneath(
  preset: keyof typeof REFUSED,
  input: unknown,
  needed: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const given = fieldsOf(input);
  const own = OWN_KEYS.filter((key) => given[key] !== undefined).map((key) => [key, given[key]]);
  const further = Object.entries(fieldsOf(given["channel"])).filter(
    ([key]) => !REFUSED[preset].includes(key),
  );
  return { ...needed, ...Object.fromEntries([...further, ...own]), preset };
}

/** Every problem of these options, named as in the input of the peer or the Clerk. */
export function channelProblems(channel: Record<string, unknown>): readonly string[] {
  return [...checkCredentials(channel), ...checkOptions(channel).problems.map(underChannel)];
}

/** A problem's text begins with the key it is about, or with `options` for all of them. */
function underChannel(problem: string): string {
  return OWN_KEYS.some((key) => problem.startsWith(key)) ? problem : `channel.${problem}`;
}

export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}
