import { canonicalAddress, type Endpoint, isLiteral, type SocketAddress } from "../core/index.js";
import { discoveryOptionsSchema, type ResolvedDiscoveryOptions } from "./discovery-options.js";
import { DnsResolver } from "./dns-resolver.js";
import { proxyFor } from "./http-proxy.js";
import type { Resolver, ResolverDeps } from "./resolver.js";
import { StaticResolver } from "./static-resolver.js";
import type { DnsTarget, ParsedTarget } from "./target.js";

/**
 * The resolver for a parsed target; does no I/O. Endpoints that go through the proxy of the environment are
 * reported unresolved with `isProxied`, since the proxy resolves the name; a socket path never goes through one.
 * The environment is read here, once, as grpc-js reads it when a channel is made.
 */
export function createResolver(
  parsed: ParsedTarget & { ok: true },
  deps: ResolverDeps,
  options: ResolvedDiscoveryOptions = discoveryOptionsSchema.parse({}),
): Resolver {
  if (parsed.scheme === "dns") return createDnsResolver(parsed, deps, options);
  const endpoints = parsed.addresses.map((address) => knownEndpoint(address, deps.env));
  return new StaticResolver(parsed.canonical, endpoints);
}

/** With an IP address for a host, or a proxy in between, there is nothing to look up. */
function createDnsResolver(
  parsed: DnsTarget,
  deps: ResolverDeps,
  options: ResolvedDiscoveryOptions,
): Resolver {
  const address = { kind: "tcp", host: parsed.host, port: parsed.port } as const;
  const endpoint = knownEndpoint(address, deps.env);
  if (isLiteral(address)) return new StaticResolver(parsed.canonical, [endpoint]);
  if (endpoint.isProxied)
    return new StaticResolver(parsed.canonical, [{ ...endpoint, serverName: parsed.defaultAuthority }]);
  return new DnsResolver(parsed, deps, options);
}

function knownEndpoint(address: SocketAddress, env: ResolverDeps["env"]): Endpoint {
  const isProxied = address.kind === "tcp" && proxyFor(address.host, env) !== null;
  return { address: canonicalAddress(address), ...(isProxied && { isProxied }) };
}
