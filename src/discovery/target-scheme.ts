import { isIPv6 } from "node:net";
import { suggest } from "../core/index.js";
import { isRegistered, registeredSchemes } from "./resolver-registry.js";
import type { SplitTarget } from "./target-kinds.js";

/** The schemes this version resolves. */
const SCHEMES = ["static", "ipv4", "ipv6", "unix", "dns", "consul", "etcd", "file", "passthrough"] as const;

type Scheme = (typeof SCHEMES)[number];

/** Schemes somebody may well write, and what to write instead. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  [
    "xds",
    "xDS is grpc-js's own: register the package @grpc/grpc-js-xds and write passthrough:///xds:///service, or use consul://, dns:/// or static:///",
  ],
  ["grpclb", "gRPC has retired grpclb; use dns:/// with the policy round_robin"],
  ["unix-abstract", "grpc-js cannot connect to abstract sockets; use unix:/path"],
  ["http", "a gRPC target has no http://; write host:port, TLS comes from the credentials"],
  ["https", "a gRPC target has no https://; write host:port, TLS comes from the credentials"],
]);

const REGISTRIES = "name the registry: consul:///service, etcd:///prefix, or dns:///host:port";
const HEADLESS = "for a headless service write dns:///service.namespace.svc.cluster.local:port";

/** Schemes of other tools, which are free for anybody's own resolver, and what to write without one. */
const FOREIGN: ReadonlyMap<string, string> = new Map([
  ["srv", "for SRV records write dns:///_service._tcp.domain"],
  ["k8s", HEADLESS],
  ["kubernetes", HEADLESS],
  ["lb", REGISTRIES],
  ["discovery", REGISTRIES],
]);

/** Names grpc-js itself reads as schemes whatever follows. Ours may also be hosts: `etcd:2379` names one. */
const GRPC_SCHEMES: ReadonlySet<string> = new Set(["dns", "unix", "ipv4", "ipv6"]);

/** Cuts a target into scheme, authority and path. A target without a scheme is a `dns` one, as in gRPC. */
export function splitTarget(target: string): SplitTarget {
  const match = /^([A-Za-z][A-Za-z0-9+._-]*):(.*)$/s.exec(target);
  const scheme = match?.[1]?.toLowerCase() ?? "";
  const rest = match?.[2] ?? "";
  if (match === null || !isScheme(scheme, rest, target))
    return { scheme: "dns", authority: null, path: target };
  const cut = /^\/\/([^/]*)(?:\/(.*))?$/s.exec(rest);
  if (cut === null) return { scheme, authority: null, path: rest };
  return { scheme, authority: cut[1] ?? "", path: cut[2] ?? "" };
}

/** True when this version resolves the scheme. */
export function isKnownScheme(scheme: string): scheme is Scheme {
  return (SCHEMES as readonly string[]).includes(scheme);
}

/** Why a scheme is not taken, and what is. */
export function refusedScheme(scheme: string, target: string): string {
  const instead = REFUSED.get(scheme);
  const quoted = JSON.stringify(target);
  if (instead !== undefined)
    return `the target ${quoted} has the scheme "${scheme}", which is not taken: ${instead}`;
  const known = [...SCHEMES, ...registeredSchemes()];
  const foreign = FOREIGN.get(scheme);
  const advice = foreign === undefined ? suggest(scheme, known) : `; ${foreign}`;
  const own = `a scheme of your own needs registerResolver(${JSON.stringify(scheme)}, ...) before the channel is made`;
  return `the target ${quoted} has the unknown scheme "${scheme}"${advice}; ${own}`;
}

function isScheme(name: string, rest: string, target: string): boolean {
  if (rest.startsWith("//") || GRPC_SCHEMES.has(name)) return true;
  if (isKnownScheme(name) || REFUSED.has(name) || isRegistered(name)) return !/^\d+$/.test(rest);
  // A host and a port hold one colon. Two of them, as in statc:a:1, mean a scheme we do not know.
  const [first = "", firstRest = ""] = [target.split(",")[0], rest.split(",")[0]];
  return firstRest.includes(":") && !isIPv6(first);
}
