import { canonicalAddress, type Endpoint, isLiteral, type SocketAddress } from "../core/index.js";
import { CheckedResolver } from "./checked-resolver.js";
import { consulResolver } from "./consul/consul-resolver.js";
import type { ResolvedDiscoveryOptions } from "./discovery-options.js";
import { DnsResolver } from "./dns/dns-resolver.js";
import { etcdResolver } from "./etcd/etcd-resolver.js";
import { fileResolver } from "./file/file-resolver.js";
import { proxyFor } from "./http-proxy.js";
import type { Resolver, ResolverDeps } from "./resolver.js";
import { createCustomResolver } from "./resolver-registry.js";
import { StaticResolver } from "./static-resolver.js";
import type { DnsTarget, ResolvedTarget } from "./target-kinds.js";

/**
 * The resolver for a parsed target; does no I/O. Endpoints that go through the proxy of the environment are
 * reported unresolved with `isProxied`, since the proxy resolves the name; a socket path never goes through one.
 * The environment is read here, once, as grpc-js reads it when a channel is made.
 */
export function createResolver(
  parsed: ResolvedTarget,
  deps: ResolverDeps,
  options: ResolvedDiscoveryOptions,
): Resolver {
  switch (parsed.scheme) {
    case "dns":
      return createDnsResolver(parsed, deps, options);
    case "consul":
      return consulResolver(parsed, deps, options);
    case "etcd":
      return etcdResolver(parsed, deps, options);
    case "file":
      return fileResolver(parsed, deps, options);
    case "custom":
      return new CheckedResolver(parsed.canonical, () => createCustomResolver(parsed, deps));
    default: {
      const endpoints = parsed.addresses.map((address) => knownEndpoint(address, deps.env));
      return new StaticResolver(parsed.canonical, endpoints);
    }
  }
}

/** With an IP address for a host, or a proxy in between, there is nothing to look up. */
function createDnsResolver(
  parsed: DnsTarget,
  deps: ResolverDeps,
  options: ResolvedDiscoveryOptions,
): Resolver {
  const { canonical, host, port, defaultAuthority } = parsed;
  if (port === null) return new DnsResolver(parsed, deps, options);
  const address = { kind: "tcp", host, port } as const;
  const endpoint = knownEndpoint(address, deps.env);
  if (isLiteral(address)) return new StaticResolver(canonical, [endpoint]);
  if (endpoint.isProxied)
    return new StaticResolver(canonical, [{ ...endpoint, serverName: defaultAuthority }]);
  return new DnsResolver(parsed, deps, options);
}

function knownEndpoint(address: SocketAddress, env: ResolverDeps["env"]): Endpoint {
  const isProxied = address.kind === "tcp" && proxyFor(address.host, env) !== null;
  return { address: canonicalAddress(address), ...(isProxied && { isProxied }) };
}
