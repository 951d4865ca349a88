export { createResolver } from "./create-resolver.js";
export type { DiscoveryOptions, ResolvedDiscoveryOptions } from "./discovery-options.js";
export { discoveryOptionsSchema } from "./discovery-options.js";
export { systemLookup } from "./host-lookup.js";
export { proxyFor } from "./http-proxy.js";
export type { Resolver, ResolverDeps, ResolverListener } from "./resolver.js";
export type { DnsTarget, InvalidTarget, ListTarget, ParsedTarget, ValidTarget } from "./target.js";
export { parseTarget } from "./target.js";
