import type { ResolvedDiscoveryOptions } from "../discovery-options.js";
import { proxyFor } from "../http-proxy.js";
import type { ResolverDeps } from "../resolver.js";
import type { DnsTarget } from "../target-kinds.js";
import type { AskFamily, FamilyAnswer } from "./ask-family.js";
import type { DnsQuestion } from "./dns-answer.js";
import { type AddressRecord, type DnsQueries, nodeQueries } from "./dns-queries.js";
import { FamilyPatience } from "./family-patience.js";
import { HostAddresses } from "./host-addresses.js";
import { HostQuestion } from "./host-question.js";
import { ServiceQuestion } from "./service-question.js";

const MS_PER_SECOND = 1_000;

/** Makes the questions to a list of DNS servers; an empty one means those of the system. */
export type MakeQueries = typeof nodeQueries;

/**
 * What a target asks, and whom: its own servers, or the system, whose look-up of hosts knows more than DNS. Only SRV
 * records come from the system's DNS servers directly.
 */
export function createQuestion(
  { host, port, servers, defaultAuthority }: DnsTarget,
  { clock, env, lookup }: Pick<ResolverDeps, "clock" | "env" | "lookup">,
  options: ResolvedDiscoveryOptions,
  makeQueries: MakeQueries = nodeQueries,
): DnsQuestion {
  const { lookupTimeoutMs, maxStaleMs } = options;
  // SRV records take two questions, one after the other.
  const queries = makeQueries(servers, port === null ? lookupTimeoutMs / 2 : lookupTimeoutMs);
  const bySystem: AskFamily = async (name) => ({ addresses: await lookup(name), ttlMs: null });
  const ways = servers.length === 0 ? [bySystem] : bothFamilies(queries);
  const patience = new FamilyPatience(clock);
  const hostNamed = (name: string) => new HostAddresses(name, ways, { clock, maxStaleMs, patience });
  const cancel = () => {
    queries.cancel();
    patience.cancel();
  };
  if (port !== null) return new HostQuestion(defaultAuthority, port, hostNamed(host), cancel);
  const isProxied = (name: string) => proxyFor(name, env) !== null;
  const services = (name: string) => queries.services(name);
  return new ServiceQuestion(host, { queries: { services, cancel }, hostNamed, isProxied });
}

/** IPv4 leads, as servers know nothing of how this machine is connected. */
function bothFamilies(queries: DnsQueries): readonly AskFamily[] {
  return [
    async (host) => familyAnswer(await queries.ipv4(host)),
    async (host) => familyAnswer(await queries.ipv6(host)),
  ];
}

function familyAnswer(records: readonly AddressRecord[]): FamilyAnswer {
  const addresses = records.map(({ address }) => address);
  const ttls = records.map(({ ttl }) => ttl * MS_PER_SECOND);
  return { addresses, ttlMs: ttls.length === 0 ? null : Math.min(...ttls) };
}
