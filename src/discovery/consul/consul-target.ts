import { canonicalAddress, parseAddress } from "../../core/index.js";
import { type ConsulTarget, type InvalidTarget, refuse, type SplitTarget } from "../target-kinds.js";
import { type ConsulQuery, canonicalQuery, readConsulQuery } from "./consul-target-query.js";

/** Consul's own port for HTTP. */
const DEFAULT_PORT = 8500;
/** Longer than any name that DNS could carry; Consul itself sets no limit. */
const MAX_SERVICE = 255;
const EXAMPLE = "write consul://host:8500/service or consul:///service";

/**
 * Reads `consul://host:8500/service?tag=...&dc=...`; without a host, the environment or the agent on this machine is
 * meant. Never throws; all problems come at once. What could be a secret, such as a password before the host, is not told.
 */
export function parseConsulTarget(split: SplitTarget, target: string): ConsulTarget | InvalidTarget {
  const { path } = split;
  if (cutAt(target, "?")[0].includes("@")) {
    // Whatever stands around it may be a secret, wherever its slashes are.
    return refuse(
      "a consul: target has an @, as if a user or a password stood before the host; a token belongs into discovery.consul, and an @ of a service is written %40",
    );
  }
  if (split.authority === null) {
    const name = withoutSlashes(cutAt(path, "?")[0]) || "service";
    const mistake = path.startsWith("/") ? "one slash" : "no slashes";
    return refuse(`the target ${quoted(target)} has ${mistake} after consul:; write consul:///${name}`);
  }
  // Without a slash behind the host the query is part of it, and is read all the same.
  const [authority = "", queryOfHost] = cutAt(split.authority, "?");
  const [servicePath = "", query = queryOfHost] = cutAt(path, "?");
  const agent = agentOf(authority, target);
  const service = serviceOf(servicePath, authority, target);
  const read = readConsulQuery(query ?? "");
  const problems = [
    ...(typeof agent === "string" ? [agent] : []),
    ...("problem" in service ? [service.problem] : []),
    ...read.problems,
  ];
  if (typeof agent === "string" || "problem" in service || problems.length > 0) return refuse(...problems);
  return targetOf(agent, service.name, read.query);
}

/**
 * One target for each datacentre, in order of preference, none of which has failover datacentres: each is watched by
 * itself, so that one which cannot be reached holds up no other.
 */
export function datacentresOf(target: ConsulTarget): readonly ConsulTarget[] {
  const { agent, service, failover } = target;
  if (failover.length === 0) return [target];
  const one = (datacenter: string | null) =>
    targetOf(agent, service, { ...target, datacenter, failover: [] });
  return [one(target.datacenter), ...failover.map(one)];
}

function targetOf(agent: ConsulTarget["agent"], service: string, query: ConsulQuery): ConsulTarget {
  const host = agent === null ? "" : canonicalAddress({ kind: "tcp", ...agent });
  const canonical = `consul://${host}/${encodeURIComponent(service)}${canonicalQuery(query)}`;
  const {
    tags,
    datacenter,
    failover,
    near,
    isPassingOnly,
    namespace,
    partition,
    consistency,
    taggedAddress,
    filter,
  } = query;
  const asked = { tags, datacenter, failover, near, isPassingOnly, namespace, partition };
  return {
    ok: true,
    scheme: "consul",
    canonical,
    agent,
    service,
    ...asked,
    consistency,
    taggedAddress,
    filter,
  };
}

/** @returns a sentence when it is none */
function agentOf(authority: string, target: string): ConsulTarget["agent"] | string {
  if (authority === "") return null;
  const the = `the address ${JSON.stringify(authority)} of Consul`;
  if (authority.includes("[") !== authority.includes("]"))
    return `${the} lacks one of its brackets; write [::1]:${DEFAULT_PORT}`;
  const hasPort = authority.startsWith("[") ? !authority.endsWith("]") : authority.includes(":");
  const address = parseAddress(hasPort ? authority : `${authority}:${DEFAULT_PORT}`);
  // Its examples have a port of gRPC servers.
  if (typeof address === "string") return `${the} ${address.replace(":50051", `:${DEFAULT_PORT}`)}`;
  if (address.kind === "tcp") return { host: address.host, port: address.port };
  return `the target ${quoted(target)} names a socket path, where Consul's host:port belongs`;
}

function serviceOf(
  path: string,
  authority: string,
  target: string,
): { readonly name: string } | { readonly problem: string } {
  const the = `the target ${quoted(target)}`;
  if (path === "") {
    const isHostTheService = authority !== "" && !/[:[\]]/.test(authority);
    const instead = isHostTheService ? `write consul:///${authority}` : EXAMPLE;
    return { problem: `${the} names no service; ${instead}` };
  }
  let name: string;
  try {
    name = decodeURIComponent(path);
  } catch {
    return { problem: `${the} has a % in its service that begins no code; write a percent sign as %25` };
  }
  if (/[\p{Cc}\p{Cs}]/u.test(name) || name.length > MAX_SERVICE) {
    return {
      problem: `${the} has a service name with control characters, or of more than ${MAX_SERVICE} characters`,
    };
  }
  if (path.startsWith("/")) {
    const instead = withoutSlashes(path) || "service";
    return {
      problem: `${the} has a slash too many before its service; write consul://${authority}/${instead}`,
    };
  }
  if (path.includes("/"))
    return { problem: `${the} has more than one name in its path; write a slash of the service as %2F` };
  if (path.includes("#"))
    return { problem: `${the} has a #, which begins nothing here; write one of the service as %23` };
  return { name };
}

/** The target without its query, in which a secret may stand. */
function quoted(target: string): string {
  return JSON.stringify(cutAt(target, "?")[0]);
}

function withoutSlashes(path: string): string {
  return path.replace(/^\/+/, "");
}

function cutAt(text: string, mark: string): [string, string?] {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + mark.length)];
}
