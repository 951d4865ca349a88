import type { Clock, Endpoint, Random } from "../../core/index.js";
import type { UnaryLink } from "../unary-link.js";
import type { LeaderCache } from "./leader-cache.js";
import type { ServerDiscovery } from "./server-discovery.js";
import type { SessionPool } from "./sessions.js";

/** What a Clerk is made of beside its options. Tests replace parts of it. */
export interface ClerkParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly discovery: ServerDiscovery;
  connect(endpoint: Endpoint): UnaryLink;
  /** Gives a number that no other session of the cluster ever has. */
  newClientId(): bigint;
  readonly cache?: LeaderCache;
  readonly sessions?: SessionPool;
}
