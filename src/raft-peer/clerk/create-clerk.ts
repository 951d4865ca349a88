import { randomBytes } from "node:crypto";
import { type ChannelCollaborators, resolverDeps } from "../../call/index.js";
import { type Endpoint, systemClock, systemRandom } from "../../core/index.js";
import { Discovery, discoveryOptionsSchema, type ResolvedTarget } from "../../discovery/index.js";
import type { Clerk } from "../clerk-api.js";
import type { ClerkOptions } from "../clerk-options.js";
import { grpcLinks } from "../grpc-link.js";
import type { LinkFactory, UnaryLink } from "../unary-link.js";
import { checkClerk } from "./check-clerk.js";
import { CLERK_SERVICES } from "./kv-calls.js";
import { KvClerk } from "./kv-clerk.js";
import { FixedServers, ResolvedServers } from "./server-discovery.js";

/** What a Clerk works with beside its options. Tests replace it; everybody else leaves it alone. */
export interface ClerkCollaborators extends ChannelCollaborators {
  /** How servers are reached, in place of gRPC: `memoryNetwork.linksFrom("client")`. No credentials are needed then. */
  readonly connect?: LinkFactory;
  /** Names sessions; must never give the same number twice in a cluster. Default: 62 bits of the system's entropy. */
  readonly newClientId?: () => bigint;
}

/**
 * Makes a client of a replicated key-value service (eraft's KVService) that tracks the leader and applies every write
 * exactly once. Does no I/O; the first operation connects.
 *
 * @throws ResilienceError `CONFIG_INVALID` that lists every problem
 */
export function createClerk(options: ClerkOptions, collaborators: ClerkCollaborators = {}): Clerk {
  const { clock = systemClock, random = systemRandom, newClientId = entropyId, connect } = collaborators;
  const checked = checkClerk(options, connect === undefined);
  const { targets, servers, channel } = checked;
  return new KvClerk(checked.options, {
    clock,
    random,
    newClientId,
    discovery:
      targets === null
        ? new FixedServers(servers)
        : new ResolvedServers(discoveryOf(targets, channel, collaborators)),
    connect: (endpoint) => linkTo(endpoint, connect, channel, collaborators),
  });
}

function linkTo(
  endpoint: Endpoint,
  connect: LinkFactory | undefined,
  channel: Record<string, unknown>,
  collaborators: ClerkCollaborators,
): UnaryLink {
  const { address, serverName } = endpoint;
  if (connect !== undefined) return connect(address, CLERK_SERVICES);
  const options = serverName === undefined ? channel : { authority: serverName, ...channel };
  return grpcLinks(options, collaborators)(address, CLERK_SERVICES);
}

function discoveryOf(
  targets: readonly ResolvedTarget[],
  channel: Record<string, unknown>,
  collaborators: ClerkCollaborators,
): Discovery {
  const options = discoveryOptionsSchema.parse(channel["discovery"] ?? {});
  return new Discovery(targets, resolverDeps(collaborators), options);
}

/** 62 bits, as eraft's own client draws them; never from a generator that two processes could share the state of. */
function entropyId(): bigint {
  return randomBytes(8).readBigUInt64BE() >> 2n;
}
