import { isIPv4 } from "node:net";

type Environment = Readonly<Record<string, string | undefined>>;

/** In order of preference. Lower case only: grpc-js does not look at `HTTP_PROXY`. */
const PROXY_VARIABLES = ["grpc_proxy", "https_proxy", "http_proxy"];
const EXEMPTION_VARIABLES = ["no_grpc_proxy", "no_proxy"];

/** `http:` means this port, where a gRPC target without one would mean 443. */
const DEFAULT_PROXY_PORT = "80";

/**
 * The HTTP proxy that carries connections to a host (a name, or an IP address without brackets), or null for none.
 * Decides exactly as grpc-js does, oddities included, because grpc-js itself makes the connection: a different
 * opinion here would have us resolve a name that only the proxy knows. So an exempting entry is a suffix matched
 * as written, spaces and case included; an empty entry (a trailing comma) exempts everything; an IPv4 CIDR entry
 * exempts addresses, never names; and `/0` covers its own address only.
 */
export function proxyFor(host: string, env: Environment): { address: string } | null {
  const address = proxyAddress(firstSet(env, PROXY_VARIABLES));
  if (address === null) return null;
  const exempt = firstSet(env, EXEMPTION_VARIABLES)?.split(",") ?? [];
  return exempt.some((entry) => isExempt(host, entry)) ? null : { address };
}

/** Set to an empty string counts as not set. */
function firstSet(env: Environment, names: readonly string[]): string | undefined {
  return names.map((name) => env[name]).find((value) => value !== undefined && value !== "");
}

/** Null for what is no `http:` URL. The next variable is not tried: grpc-js then connects directly. */
function proxyAddress(value: string | undefined): string | null {
  if (value === undefined || !URL.canParse(value)) return null;
  const { protocol, hostname, port } = new URL(value);
  return protocol === "http:" ? `${hostname}:${port === "" ? DEFAULT_PROXY_PORT : port}` : null;
}

function isExempt(host: string, entry: string): boolean {
  return host.endsWith(entry) || (isIPv4(host) && isInRange(host, entry));
}

function isInRange(host: string, range: string): boolean {
  const [base = "", prefix = "", ...more] = range.split("/");
  const bits = Number.parseInt(prefix, 10);
  if (more.length > 0 || !isIPv4(base) || !(bits >= 0 && bits <= 32)) return false;
  // JavaScript shifts by 32 as by 0, whence the oddity of /0.
  return ((toBits(host) ^ toBits(base)) & (-1 << (32 - bits))) === 0;
}

function toBits(ipv4: string): number {
  return ipv4.split(".").reduce((bits, octet) => (bits << 8) | Number(octet), 0);
}
