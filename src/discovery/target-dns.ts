import { canonicalAddress, isLiteral, parseAddress } from "../core/index.js";
import { type DnsTarget, type InvalidTarget, refuse, type SplitTarget } from "./target-kinds.js";

/** gRPC's port for a `dns` target that names none. */
const DEFAULT_PORT = 443;
const DNS_PORT = 53;
/** Service and protocol before the domain, both with an underscore: a name of SRV records (RFC 2782). */
const SERVICE_NAME = /^_[^.]+\._[^.]+\../;

/**
 * Reads `dns:///host:port`, with the DNS servers to ask in front of the host, `dns://10.0.0.1,[fd00::1]:5353/host:port`,
 * as gRPC's naming document has it, and more than one. A host such as `_grpc._tcp.users.internal` stands for its SRV
 * records, which name the ports.
 */
export function parseDnsTarget({ authority, path }: SplitTarget, target: string): DnsTarget | InvalidTarget {
  // Without a path the address stands where the authority belongs: one mistake, one sentence.
  if (authority !== null && authority !== "" && path === "") {
    return refuse(`the target ${JSON.stringify(target)} has two slashes; write three, dns:///${authority}`);
  }
  const { servers, problems } = parseServers(authority ?? "");
  const name = parseName(path);
  if (typeof name === "string") return refuse(...problems, name);
  if (problems.length > 0) return refuse(...problems);
  const { host, port, spelling } = name;
  const canonical = `dns://${servers.join(",")}/${spelling}`;
  return { ok: true, scheme: "dns", host, port, servers, canonical, defaultAuthority: path };
}

/** The servers in the spelling that Node takes, each with its port. */
function parseServers(list: string): { readonly servers: readonly string[]; readonly problems: string[] } {
  const servers = new Set<string>();
  const problems: string[] = [];
  for (const text of list === "" ? [] : list.split(",")) {
    const address = parseAddress(withPort(text, DNS_PORT));
    const problem = typeof address === "string" ? address : serverProblem(address);
    if (problem !== null) problems.push(`the DNS server ${JSON.stringify(text)} ${problem}`);
    else if (typeof address !== "string") {
      const server = canonicalAddress(address);
      if (servers.has(server)) problems.push(`the DNS server ${JSON.stringify(text)} is there twice`);
      servers.add(server);
    }
  }
  return { servers: [...servers], problems };
}

function serverProblem(address: Exclude<ReturnType<typeof parseAddress>, string>): string | null {
  const allowed =
    "allowed: addresses such as dns://10.0.0.1/host:port or dns://10.0.0.1:5353,[fd00::1]/host:port";
  if (address.kind === "unix" || !isLiteral(address)) return `is no IP address; ${allowed}`;
  // Node leaves the zone out, and would ask somebody else.
  return address.host.includes("%") ? `has a zone, which cannot be asked; ${allowed}` : null;
}

interface Name {
  readonly host: string;
  readonly port: number | null;
  readonly spelling: string;
}

/** The name to look up, or what is wrong with it. */
function parseName(path: string): Name | string {
  const quoted = JSON.stringify(path);
  if (path.includes(",")) return `the target ${quoted} lists several addresses; write static:///${path}`;
  if (path === "") return `the address ${quoted} names no host; write host:port`;
  const isService = SERVICE_NAME.test(path);
  if (isService && path.includes(":")) {
    return `the address ${quoted} has a port, but SRV records name the ports; write ${path.replace(/:.*/s, "")}`;
  }
  const address = parseAddress(withPort(path, DEFAULT_PORT));
  if (typeof address === "string") return `the address ${quoted} ${address}`;
  // parseAddress would take unix: here; dns:unix:/path is a mistake, not a socket.
  if (address.kind === "unix") return `the address ${quoted} is a socket path; write ${path}`;
  const { host, port } = address;
  if (isService) return { host, port: null, spelling: host.toLowerCase() };
  return { host, port, spelling: canonicalAddress(address) };
}

function withPort(text: string, port: number): string {
  const hasPort = text.startsWith("[") ? !text.endsWith("]") : text.includes(":");
  return hasPort ? text : `${text}:${port}`;
}
