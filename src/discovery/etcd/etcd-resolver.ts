import type { ResolvedDiscoveryOptions } from "../discovery-options.js";
import type { Resolver, ResolverDeps } from "../resolver.js";
import type { EtcdTarget } from "../target-kinds.js";

export function etcdResolver(
  target: EtcdTarget,
  _deps: ResolverDeps,
  _options: ResolvedDiscoveryOptions,
): Resolver {
  throw new Error(`${target.canonical} cannot be resolved yet`);
}
