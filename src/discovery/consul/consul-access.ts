import { readFile } from "node:fs/promises";
import { isIP, isIPv6 } from "node:net";
import { type ConnectionOptions, checkServerIdentity, type PeerCertificate } from "node:tls";
import { canonicalAddress, saidBy } from "../../core/index.js";
import type { ResolverDeps } from "../resolver.js";
import type { ConsulTarget } from "../target-kinds.js";
import type { ResolvedConsulOptions } from "./consul-options.js";

type Env = ResolverDeps["env"];

/** Where a request to Consul goes, and what lets it in. */
export interface ConsulAccess {
  /** For errors: `http://127.0.0.1:8500`. */
  readonly place: string;
  readonly baseUrl: string;
  /** Null for plaintext. */
  readonly tls: ConnectionOptions | null;
  readonly token: string | null;
}

const DEFAULT_ADDRESS = "127.0.0.1:8500";

/**
 * Reads options, environment and files anew, so that what has been rotated is used by the next request.
 * @throws Error for an address, a file or a variable that cannot be used; it tells no token and no key
 */
export async function consulAccess(
  agent: ConsulTarget["agent"],
  options: ResolvedConsulOptions,
  env: Env,
): Promise<ConsulAccess> {
  const given = agent === null ? addressOfEnv(env) : canonicalAddress({ kind: "tcp", ...agent });
  const isSecure = options.tls !== undefined || given.startsWith("https://") || isSslWanted(env);
  const place = `${isSecure ? "https" : "http"}://${given.replace(/^https?:\/\//i, "")}`;
  const [token, tls] = await Promise.all([
    tokenOf(options, env),
    isSecure ? tlsOf(options.tls ?? tlsOfEnv(env)) : null,
  ]);
  return { place, baseUrl: `${place}/v1`, tls, token };
}

/** As Consul's own tools read it: `host:port`, or `http://` or `https://` before it, and perhaps a path behind. */
function addressOfEnv(env: Env): string {
  const text = env["CONSUL_HTTP_ADDR"] || DEFAULT_ADDRESS;
  if (text.startsWith("unix:")) {
    throw new Error(
      "CONSUL_HTTP_ADDR names a Unix socket, which is not supported; allowed: host:port, http://host:port or https://host:port",
    );
  }
  const isAddress = /^(?:https?:\/\/)?(?:\[[\da-f:.]+\]|[A-Za-z0-9_.-]+)(?::\d{1,5})?(?:\/[\w./-]*)?$/i;
  if (!isAddress.test(text) || !URL.canParse(text.includes("://") ? text : `http://${text}`)) {
    // It may hold a password, so it is not told.
    throw new Error(
      "CONSUL_HTTP_ADDR is no address; allowed: host:port, http://host:port or https://host:port",
    );
  }
  return text.replace(/\/+$/, "").replace(/^https?:/i, (scheme) => scheme.toLowerCase());
}

function isSslWanted(env: Env): boolean {
  const text = env["CONSUL_HTTP_SSL"] ?? "";
  if (/^(?:1|t|true)$/i.test(text)) return true;
  if (/^(?:0|f|false|)$/i.test(text)) return false;
  throw new Error(`CONSUL_HTTP_SSL is ${JSON.stringify(text)}; allowed: true, false`);
}

/** The options win over the environment; there the file wins over the text, as in Consul's own tools. */
async function tokenOf(options: ResolvedConsulOptions, env: Env): Promise<string | null> {
  if (options.token !== undefined) return options.token;
  if (options.tokenFile !== undefined) return tokenOfFile(options.tokenFile, "discovery.consul.tokenFile");
  if (options.tokenEnv !== undefined) {
    const token = env[options.tokenEnv];
    if (token) return token;
    throw new Error(
      `the environment variable ${options.tokenEnv} (discovery.consul.tokenEnv) holds no token`,
    );
  }
  const file = env["CONSUL_HTTP_TOKEN_FILE"];
  return file ? tokenOfFile(file, "CONSUL_HTTP_TOKEN_FILE") : env["CONSUL_HTTP_TOKEN"] || null;
}

async function tokenOfFile(path: string, from: string): Promise<string> {
  const token = (await read(path, from)).toString("utf8").trim();
  if (token === "") throw new Error(`the file ${path} (${from}) is empty; allowed: one token`);
  return token;
}

type TlsGiven = Omit<NonNullable<ResolvedConsulOptions["tls"]>, "watchFiles" | "reloadMs">;

function tlsOfEnv(env: Env): TlsGiven {
  const caFile = env["CONSUL_CACERT"];
  const certFile = env["CONSUL_CLIENT_CERT"];
  const keyFile = env["CONSUL_CLIENT_KEY"];
  const serverName = env["CONSUL_TLS_SERVER_NAME"];
  return {
    minVersion: "TLSv1.2",
    ...(caFile && { caFile }),
    ...(certFile && { certFile }),
    ...(keyFile && { keyFile }),
    ...(serverName && { serverName }),
  };
}

async function tlsOf(given: TlsGiven): Promise<ConnectionOptions> {
  const pem = async (kind: "ca" | "cert" | "key") => {
    const file = given[`${kind}File`];
    return file === undefined ? {} : { [kind]: await read(file, `${kind} of Consul's TLS`) };
  };
  const parts = await Promise.all([pem("ca"), pem("cert"), pem("key")]);
  const { serverName, minVersion } = given;
  return { minVersion, ...Object.assign({}, ...parts), ...identityOf(serverName) };
}

/** A name for the certificate that differs from the host's; an IP address may not be sent as a name (RFC 6066). */
function identityOf(serverName: string | undefined): ConnectionOptions {
  if (serverName === undefined) return {};
  return {
    servername: isIP(serverName) === 0 ? serverName : "",
    checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
      checkServerIdentity(serverName, certificate),
  };
}

async function read(path: string, what: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new Error(`the file ${path} (${what}) cannot be read: ${saidBy(error)}`);
  }
}

/** Node's sockets want an IPv6 address bare, URLs want it in brackets. */
export function bareHost(host: string): string {
  const inside = /^\[(.*)\]$/.exec(host)?.[1];
  return inside !== undefined && isIPv6(inside) ? inside : host;
}
