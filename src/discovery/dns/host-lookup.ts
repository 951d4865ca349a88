import { lookup } from "node:dns/promises";
import type { HostLookup } from "../../core/index.js";

/**
 * The system's own lookup (getaddrinfo), A and AAAA in the system's order. It honours /etc/hosts, nsswitch and
 * search domains, so names resolve as for every other program on the machine; `resolve4` and `resolve6` ask DNS
 * servers only, and know neither "localhost" nor a Docker or Kubernetes short name. Both families come from one
 * call, because asked for one alone getaddrinfo cannot tell "no such address" from "no such host".
 * @throws Error (rejects) that names host and code, such as ENOTFOUND.
 */
export const systemLookup: HostLookup = async (host) => {
  try {
    const found = await lookup(host, { all: true });
    return found.map(({ address }) => address);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new Error(`the host "${host}" could not be resolved: ${code}`, { cause });
  }
};
