import {
  type DiscoveryOptions,
  type Registration,
  registerService as registerWith,
  type ServiceOptions,
} from "../discovery/index.js";
import { type ChannelCollaborators, resolverDeps } from "./create-channel.js";

/**
 * Puts a service into a registry, where clients find it by the same target, and keeps it there until `close()`: its check
 * is kept passing, and it is registered again when the registry has forgotten it. Register a server once it listens, and
 * close the registration before the server.
 *
 * Resolves when the first attempt is over, however it ended: a registry that is away is asked again and again, with
 * backoff, and `stats()` tells; see `failFast`.
 *
 * @param target `consul://host:8500/service` or `etcd://host:2379/prefix`
 * @param options how the registry is asked, as `discovery` of a channel
 * @throws ResilienceError `CONFIG_INVALID` that lists every problem of what was given, also where the registry itself
 *   refuses it; `DISCOVERY_FAILED` with `failFast`, where the registry was not reached
 */
export function registerService(
  target: string,
  service: ServiceOptions,
  options: DiscoveryOptions = {},
  collaborators: ChannelCollaborators = {},
): Promise<Registration> {
  return registerWith(target, service, options, resolverDeps(collaborators));
}
