import type { Endpoint } from "../core/index.js";
import { type WatchOptions, watchEndpoints as watchWith } from "../discovery/index.js";
import { type ChannelCollaborators, resolverDeps } from "./create-channel.js";

/**
 * The endpoints of a target, each time they change, as a channel would use them: behind the same guards, so an empty set is
 * meant. Nothing is asked before the first `next()`; each loop asks for itself. A slow loop gets the newest set, not every
 * one. A look-up that fails ends nothing, before the first set neither: `signal` says how long to wait.
 *
 * @param target as for `createChannel`, except `passthrough:`; or several in order of preference
 * @throws ResilienceError `CONFIG_INVALID` that lists every problem of target and options
 */
export function watchEndpoints(
  target: string | readonly string[],
  options: WatchOptions = {},
  collaborators: ChannelCollaborators = {},
): AsyncIterable<readonly Endpoint[]> {
  return watchWith(target, options, resolverDeps(collaborators));
}
