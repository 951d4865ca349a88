import { canonicalAddress, parseAddress, type SocketAddress } from "../../core/index.js";
import { type EtcdTarget, type InvalidTarget, refuse, type SplitTarget } from "../target-kinds.js";

const DEFAULT_PORT = 2379;
/** As for etcd's own tools: the etcd on this machine. */
const DEFAULT_SERVERS = `127.0.0.1:${DEFAULT_PORT}`;
const EXAMPLE = "etcd://host:2379,host:2379/prefix";

/**
 * Reads `etcd://host:2379,host:2379/prefix`; without servers it is the etcd on this machine. The endpoints stand under
 * `prefix/`, as etcd's own resolver for Go has it: one slash is cut off, so that keys which begin with one are written
 * `etcd://host//prefix`, and `%20` is a space.
 */
export function parseEtcdTarget(
  { authority, path }: SplitTarget,
  target: string,
): EtcdTarget | InvalidTarget {
  if (target.includes("@")) {
    // Not quoted: what stands before the @ may be a password, also one with a slash.
    return refuse(
      `the etcd target has an @, as if a user stood before it; write ${EXAMPLE}, set username in discovery.etcd, and write an @ of a key as %40`,
    );
  }
  const quoted = JSON.stringify(target);
  if (authority === null) {
    return refuse(
      `the target ${quoted} has no slashes after etcd:; write etcd:///${path.replace(/^\/+/, "") || "prefix"} or ${EXAMPLE}`,
    );
  }
  const { servers, problems } = parseServers(authority === "" ? DEFAULT_SERVERS : authority);
  const prefix = parsePrefix(path);
  if (typeof prefix !== "string") problems.push(`the target ${quoted} ${prefix.problem}`);
  if (problems.length > 0 || typeof prefix !== "string") return refuse(...problems);
  // `?` and `#` are left alone by encodeURI, and refused when read.
  const written = encodeURI(prefix).replace(/[?#]/g, encodeURIComponent);
  const canonical = `etcd://${servers.map(canonicalAddress).join(",")}/${written}`;
  return { ok: true, scheme: "etcd", servers, prefix, canonical };
}

function parseServers(authority: string): { servers: SocketAddress[]; problems: string[] } {
  const servers = new Map<string, SocketAddress>();
  const problems: string[] = [];
  for (const [place, text] of authority.split(",").entries()) {
    if (text === "") {
      problems.push(
        `server ${place + 1} of the list ${JSON.stringify(authority)} is empty; write ${EXAMPLE}`,
      );
      continue;
    }
    const server = parseServer(text);
    if (typeof server === "string") {
      problems.push(`the etcd server ${JSON.stringify(text)} ${server}`);
      continue;
    }
    const key = canonicalAddress(server);
    if (servers.has(key)) problems.push(`the etcd server ${key} is there twice; name each one once`);
    servers.set(key, server);
  }
  return { servers: [...servers.values()], problems };
}

function parseServer(text: string): SocketAddress | string {
  if (text.startsWith("unix:")) return "is a socket path, which has no place here; write host:port";
  const hasPort = text.startsWith("[") ? !text.endsWith("]") : text.includes(":");
  return parseAddress(hasPort ? text : `${text}:${DEFAULT_PORT}`);
}

function parsePrefix(path: string): string | { readonly problem: string } {
  const sign = /[?#]/.exec(path)?.[0];
  if (sign !== undefined) {
    return {
      problem: `has a ${sign} after the prefix; write ${encodeURIComponent(sign)} where it is part of a key`,
    };
  }
  let prefix: string;
  try {
    prefix = decodeURIComponent(path.replace(/\/+$/, ""));
  } catch {
    return { problem: "has a % that begins no escape; write %25 for the sign itself" };
  }
  if (/\p{Cs}/u.test(prefix)) return { problem: "has half a character in its prefix" };
  return prefix === "" ? { problem: `names no prefix; write ${EXAMPLE}` } : prefix;
}
