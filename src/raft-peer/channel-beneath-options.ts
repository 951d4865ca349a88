import { z } from "zod";
import { isObject } from "../core/index.js";

/** A key of a channel's options that has no place below a Clerk or a peer; nobody is told that it is known. */
const refused = (message: string) =>
  z
    .custom<undefined>((value) => value === undefined, { message, abort: false })
    .optional()
    .meta({ deprecated: true });

/** A peer's own limits hold for its own calls; those of the channel hold for the stubs that share it. */
export const raftChannelRefusals = {
  preset: refused("not taken below a peer, whose preset is always raft; leave it out"),
};

/** A Clerk alone uses its channels, and repeats by rules of its own. */
export const clerkChannelRefusals = {
  /** Not taken: the preset is always `eraft`. */
  preset: refused("not taken below a Clerk, whose preset is always eraft; leave it out"),
  /** Not taken; set the Clerk's own timeoutMs. */
  timeoutMs: refused("has no effect below a Clerk; set the Clerk's own timeoutMs"),
  /** Not taken; set the Clerk's own attemptTimeoutMs. */
  attemptTimeoutMs: refused("has no effect below a Clerk; set the Clerk's own attemptTimeoutMs"),
  /** Not taken: a Clerk repeats until its own timeoutMs. */
  retry: refused("has no effect below a Clerk, which repeats until its own timeoutMs; leave it out"),
  /** Not taken: a Clerk sends each command to one leader. */
  hedging: refused("has no effect below a Clerk, which sends each command to one leader; leave it out"),
  /** Not taken; set the Clerk's own timeoutMs. */
  maxTimeoutMs: refused("has no place below a Clerk; set the Clerk's own timeoutMs"),
  /** Not taken: a Clerk makes no streams. */
  firstResponseTimeoutMs: refused("has no effect below a Clerk, which makes no streams; leave it out"),
  /** Not taken: a Clerk makes no streams. */
  streamIdleTimeoutMs: refused("has no effect below a Clerk, which makes no streams; leave it out"),
};

/** Servers in a list are never looked up. */
export const discoveryNeedsTarget = z.superRefine<{ readonly servers?: unknown; readonly channel?: unknown }>(
  ({ servers, channel }, context) => {
    if (servers === undefined || !isObject({ value: channel })) return;
    if (Reflect.get(channel as object, "discovery") === undefined) return;
    const message = "has no effect on a list of servers; give target, or leave it out";
    context.addIssue({ code: "custom", path: ["channel", "discovery"], message });
  },
  { when: isObject },
);
