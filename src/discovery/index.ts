export { checkEndpoints } from "./check-endpoints.js";
export { Discovery, type DiscoveryListener, type Outlook } from "./discovery.js";
export type { DiscoveryOptions, ResolvedDiscoveryOptions } from "./discovery-options.js";
export { discoveryOptionsSchema } from "./discovery-options.js";
export { systemLookup } from "./dns/host-lookup.js";
export { proxyFor } from "./http-proxy.js";
export { registerService } from "./register-service.js";
export type {
  Registration,
  RegistrationEvent,
  RegistrationStats,
  ServiceStatus,
} from "./registration.js";
export type { ServiceOptions } from "./registration-options.js";
export type { Resolver, ResolverDeps, ResolverListener } from "./resolver.js";
export {
  type ResolverFactory,
  type ResolverTarget,
  registeredSchemes,
  registerResolver,
} from "./resolver-registry.js";
export type { SourceStats } from "./source-stats.js";
export { parseTarget } from "./target.js";
export type {
  DnsTarget,
  InvalidTarget,
  ListTarget,
  ParsedTarget,
  PassthroughTarget,
  ResolvedTarget,
  ValidTarget,
} from "./target-kinds.js";
export { parseTargets, type TargetList } from "./target-list.js";
export { type WatchOptions, watchEndpoints } from "./watch-endpoints.js";
