import type { ResolvedDiscoveryOptions } from "../discovery-options.js";
import type { Resolver, ResolverDeps } from "../resolver.js";
import type { FileTarget } from "../target-kinds.js";

export function fileResolver(
  target: FileTarget,
  _deps: ResolverDeps,
  _options: ResolvedDiscoveryOptions,
): Resolver {
  throw new Error(`${target.canonical} cannot be resolved yet`);
}
