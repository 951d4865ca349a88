import { canonicalAddress, type Endpoint, parseAddress } from "../../core/index.js";
import { endpointsOf } from "./dns-answer.js";
import type { ServiceRecord } from "./dns-queries.js";

/** A record that names a server, read. */
export interface ServiceTarget {
  /** In lower case, without the dot at its end. */
  readonly host: string;
  readonly port: number;
  readonly priority: number;
  /** Share of the calls, above 0. */
  readonly weight: number;
}

/** The least weight above 0 is 1; RFC 2782 wants "a very small chance" for those of 0. */
const SHARE_OF_ZERO = 0.1;

/**
 * The servers that SRV records name, most preferred first. A host that is none, a port of 0 and the host `.`, which says
 * that there is no service, are left out. Where all of a priority have the weight 0, they share equally.
 */
export function serviceTargets(records: readonly ServiceRecord[]): readonly ServiceTarget[] {
  const named = records.flatMap((record) => {
    const host = record.name.replace(/\.$/, "").toLowerCase();
    const address = parseAddress(`${host}:${record.port}`);
    return typeof address === "string" || address.kind === "unix" ? [] : [{ ...record, host }];
  });
  const weighted = new Set(named.filter(({ weight }) => weight > 0).map(({ priority }) => priority));
  return named
    .map(({ host, port, priority, weight }) => {
      const share = weighted.has(priority) ? SHARE_OF_ZERO : 1;
      return { host, port, priority, weight: weight > 0 ? weight : share };
    })
    .sort((a, b) => a.priority - b.priority);
}

/**
 * True where the records say that the service is not available: a host `.` and nothing else.
 */
export function saysNoService(records: readonly ServiceRecord[]): boolean {
  return records.length > 0 && records.every(({ name }) => name === "" || name === ".");
}

/** The endpoints of one server. Its addresses share its weight, or a second one would double its calls. */
export function endpointsAt(target: ServiceTarget, addresses: readonly string[]): readonly Endpoint[] {
  if (addresses.length === 0) return [];
  const { host, port, priority, weight } = target;
  const endpoints = endpointsOf(`${host}:${port}`, port, addresses);
  return endpoints.map((endpoint) => ({ ...endpoint, priority, weight: weight / endpoints.length }));
}

/** A server that the proxy of the environment looks up. */
export function proxiedEndpoint({ host, port, priority, weight }: ServiceTarget): Endpoint {
  const address = canonicalAddress({ kind: "tcp", host, port });
  return { address, serverName: `${host}:${port}`, isProxied: true, priority, weight };
}
