import type { ResolvedDiscoveryOptions } from "../discovery-options.js";
import type { Resolver, ResolverDeps } from "../resolver.js";
import type { ConsulTarget } from "../target-kinds.js";

export function consulResolver(
  target: ConsulTarget,
  _deps: ResolverDeps,
  _options: ResolvedDiscoveryOptions,
): Resolver {
  throw new Error(`${target.canonical} cannot be resolved yet`);
}
