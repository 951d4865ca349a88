import { canonicalAddress } from "../core/index.js";
import { type ListScheme, parseAddressList, unixPath } from "./address-list.js";
import { parseConsulTarget } from "./consul/consul-target.js";
import { parseEtcdTarget } from "./etcd/etcd-target.js";
import { parseFileTarget } from "./file/file-target.js";
import { isRegistered, parseCustomTarget } from "./resolver-registry.js";
import { parseDnsTarget } from "./target-dns.js";
import { type ParsedTarget, refuse, type SplitTarget } from "./target-kinds.js";
import { isKnownScheme, refusedScheme, splitTarget } from "./target-scheme.js";

/**
 * Reads a target as gRPC's naming document spells them, plus `static:///a:1,b:2`. Never throws; all problems come
 * at once. Stricter than grpc-js where it would fail later or go somewhere else: `ipv4:` and `ipv6:` need ports, an
 * IPv6 address needs brackets.
 */
export function parseTarget(target: string): ParsedTarget {
  if (target === "")
    return refuse("the target is empty; write dns:///host:port or static:///host:port,host:port");
  const split = splitTarget(target);
  const { scheme, path } = split;
  if (isRegistered(scheme)) return parseCustomTarget(split);
  if (!isKnownScheme(scheme)) return refuse(refusedScheme(scheme, target));
  if (scheme === "dns") return parseDnsTarget(split, target);
  if (scheme === "consul") return parseConsulTarget(split, target);
  if (scheme === "etcd") return parseEtcdTarget(split, target);
  if (scheme === "file") return parseFileTarget(split, target);
  if (scheme === "passthrough") return parsePassthrough(split, target);
  const authority = authorityProblem(split, target);
  // Without a path the address stands where the authority belongs: one mistake, one sentence.
  if (authority !== null && path === "") return refuse(authority);
  const parsed = scheme === "unix" ? parseUnix(split) : parseList(scheme, path);
  if (authority === null) return parsed;
  return parsed.ok ? refuse(authority) : refuse(authority, ...parsed.problems);
}

function authorityProblem({ scheme, authority, path }: SplitTarget, target: string): string | null {
  if (authority === null || authority === "") return null;
  const quoted = JSON.stringify(target);
  if (path === "") return `the target ${quoted} has two slashes; write three, ${scheme}:///${authority}`;
  const has = `the target ${quoted} has the authority ${JSON.stringify(authority)}`;
  if (scheme === "unix") return `${has}, where a path belongs; write unix:///${authority}/${path}`;
  return `${has}; ${scheme}: takes none, write ${scheme}:///${path}`;
}

function parseUnix({ authority, path: text }: SplitTarget): ParsedTarget {
  const path = unixPath(authority, text);
  if (path === "") return refuse("the target names no socket path after unix:; write unix:/path");
  const addresses = [{ kind: "unix", path } as const];
  return { ok: true, scheme: "unix", addresses, canonical: `unix:${path}`, defaultAuthority: "localhost" };
}

function parseList(scheme: ListScheme, path: string): ParsedTarget {
  const { addresses, problems } = parseAddressList(scheme, path);
  if (problems.length > 0) return refuse(...problems);
  // Each as its documentation spells it: gRPC's two lists without slashes, ours with them.
  const prefix = scheme === "static" ? "static:///" : `${scheme}:`;
  const canonical = prefix + addresses.map(canonicalAddress).join(",");
  const defaultAuthority = scheme === "static" ? null : (path.split(",")[0] ?? null);
  return { ok: true, scheme, addresses, canonical, defaultAuthority };
}

/** What follows is grpc-js's business, scheme and all. */
function parsePassthrough({ authority, path }: SplitTarget, target: string): ParsedTarget {
  if (authority !== null && authority !== "") {
    return refuse(
      `the target ${JSON.stringify(target)} has two slashes; write three, passthrough:///${authority}${path === "" ? "" : `/${path}`}`,
    );
  }
  if (path === "") {
    return refuse(
      `the target ${JSON.stringify(target)} names nothing to pass through; write passthrough:///xds:///service`,
    );
  }
  return { ok: true, scheme: "passthrough", inner: path, canonical: `passthrough:///${path}` };
}
