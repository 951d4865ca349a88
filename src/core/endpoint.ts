import { isIP, isIPv6 } from "node:net";

/** One server, as a resolver names it. */
export interface Endpoint {
  /** `host:port`, `[v6]:port` or `unix:/path`, in the spelling of `canonicalAddress`. The key of all its state. */
  readonly address: string;
  /** Name for `:authority` and the TLS certificate, where it differs from the target's. */
  readonly serverName?: string;
  /** True when the proxy of the environment carries the connection, so that the proxy resolves the name. */
  readonly isProxied?: boolean;
  /** Lower is preferred; equal priorities form a group. Default 0. */
  readonly priority?: number;
  /** Relative share of the calls for policies that know weights. Above 0, default 1. */
  readonly weight?: number;
  /** Where it stands, for `zone` of the channel: any name, compared as a whole. */
  readonly zone?: string;
  /** Its place on the rings of `ring_hash` and `consistent_hash`, in place of its address (gRFC A42). */
  readonly hashKey?: string;
  /** What else is known of it: for pickers of the user's own, and shown in `endpoints()`. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export type SocketAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

const HOST_PATTERN = /^(?!-)[A-Za-z0-9_.-]{1,253}$/;
const IPV6_LETTERS = /^[\da-f:]+(?:\.[\d.]+)?(?:%.*)?$/i;
const MAX_PORT = 65_535;

/**
 * Reads `host:port`, `1.2.3.4:port`, `[::1]:port` or `unix:/path`.
 * @returns the address, or a string that says what is wrong with it.
 */
export function parseAddress(text: string): SocketAddress | string {
  if (text.startsWith("unix:")) {
    const path = text.slice("unix:".length);
    return path.length > 0 ? { kind: "unix", path } : "names no socket path after unix:";
  }
  if (text.includes("://")) return "has a scheme, which only a target may have; write host:port";
  const match = /^(?:\[([^\]]*)\]|([^:]*)):([^:]*)$/.exec(text);
  if (match === null) {
    if (text.startsWith("[")) return "has no port; write [::1]:50051";
    if (isIPv6(text) || (text.split(":").length > 2 && IPV6_LETTERS.test(text)))
      return "is an IPv6 address without brackets; write [::1]:50051";
    return text.includes(":") ? "has more than one colon; write host:port" : "has no port; write host:port";
  }
  const [, v6, name, portText] = match;
  const host = v6 ?? name ?? "";
  if (v6 !== undefined ? !isIPv6(v6) : !HOST_PATTERN.test(host) || looksLikeBrokenIPv4(host)) {
    return `has the host ${JSON.stringify(host)}, which is neither an IP address nor a host name`;
  }
  const port = /^\d{1,5}$/.test(portText ?? "") ? Number(portText) : Number.NaN;
  if (!(port >= 1 && port <= MAX_PORT)) {
    return `has the port ${JSON.stringify(portText)}; allowed are 1 to ${MAX_PORT}`;
  }
  return { kind: "tcp", host, port };
}

/** The one spelling of an address, so that equal endpoints have equal keys. */
export function canonicalAddress(address: SocketAddress): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  const host = isIPv6(address.host) ? `[${shortIPv6(address.host)}]` : address.host.toLowerCase();
  return `${host}:${address.port}`;
}

/** The same for a text; one that is no address stays what it is. */
export function canonicalText(text: string): string {
  const parsed = parseAddress(text);
  return typeof parsed === "string" ? text : canonicalAddress(parsed);
}

/** The one spelling of RFC 5952. A zone names an interface and keeps its case; URLs do not know zones. */
function shortIPv6(host: string): string {
  const [address = "", zone] = host.split("%");
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
  return zone === undefined ? short : `${short}%${zone}`;
}

/** True when the host is a literal address, false when it is a name to look up. */
export function isLiteral(address: SocketAddress): boolean {
  return address.kind === "unix" || isIP(address.host) !== 0;
}

/** Only digits and dots but no IPv4 address: a typo such as 127.0.0.256, never a name worth asking DNS for. */
function looksLikeBrokenIPv4(host: string): boolean {
  return /^[\d.]+$/.test(host) && isIP(host) === 0;
}
