import { eachOnce } from "../endpoint-sets.js";
import type { DnsAnswer, DnsQuestion } from "./dns-answer.js";
import type { DnsQueries } from "./dns-queries.js";
import type { HostAddresses } from "./host-addresses.js";
import { endpointsAt, proxiedEndpoint, saysNoService, serviceTargets } from "./service-answer.js";

/** Hosts looked up at once: a service of a thousand servers must not flood the name server. */
const AT_ONCE = 16;

/** What a service's question needs. */
export interface ServiceDeps {
  readonly queries: Pick<DnsQueries, "services" | "cancel">;
  hostNamed(host: string): HostAddresses;
  isProxied(host: string): boolean;
}

/**
 * Asks for the SRV records of a service, then for the addresses of the hosts that they name. A host that cannot be looked
 * up does not spoil the others: its last known addresses are kept while the records name it, and it is left out where there
 * are none, or where its name is known not to exist. Only when no host can be looked up the question has failed.
 */
export class ServiceQuestion implements DnsQuestion {
  readonly #hosts = new Map<string, HostAddresses>();
  #asked = 0;

  constructor(
    private readonly name: string,
    private readonly deps: ServiceDeps,
  ) {}

  async ask(): Promise<DnsAnswer> {
    const number = ++this.#asked;
    const records = await this.deps.queries.services(this.name);
    if (saysNoService(records)) return { endpoints: [], ttlMs: null };
    const targets = serviceTargets(records);
    if (targets.length === 0) throw new Error(`the SRV records of "${this.name}" name no server`);
    const direct = targets.map(({ host }) => host).filter((host) => !this.deps.isProxied(host));
    const hosts = this.#named(new Set(direct));
    const failures = await this.#lookAll([...hosts.values()], number);
    if (targets.length === direct.length && failures.length === hosts.size) throw failures[0];
    const endpoints = targets.flatMap((target) => {
      const host = hosts.get(target.host);
      return host === undefined ? [proxiedEndpoint(target)] : endpointsAt(target, host.addresses);
    });
    // Two hosts may stand for one machine: the more preferred record counts.
    return { endpoints: eachOnce(endpoints), ttlMs: shortest([...hosts.values()]) };
  }

  cancel(): void {
    this.#asked = Number.POSITIVE_INFINITY;
    this.deps.queries.cancel();
  }

  /** Those that the records name now; the others are forgotten. */
  #named(names: ReadonlySet<string>): ReadonlyMap<string, HostAddresses> {
    for (const name of this.#hosts.keys()) if (!names.has(name)) this.#hosts.delete(name);
    for (const name of names) {
      if (!this.#hosts.has(name)) this.#hosts.set(name, this.deps.hostNamed(name));
    }
    return new Map(this.#hosts);
  }

  /** @returns why hosts could not be looked up */
  async #lookAll(hosts: readonly HostAddresses[], number: number): Promise<readonly unknown[]> {
    const waiting = [...hosts];
    const failures: unknown[] = [];
    const work = async (): Promise<void> => {
      for (let host = waiting.shift(); host !== undefined; host = waiting.shift()) {
        // Two may be under way, since a late answer still counts; a third would add to what is too much already.
        if (this.#asked - number > 1) throw new Error(`the lookup of "${this.name}" was given up`);
        await host.look().catch((error: unknown) => failures.push(error));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return failures;
  }
}

function shortest(hosts: readonly HostAddresses[]): number | null {
  const told = hosts.flatMap(({ ttlMs }) => (ttlMs === null ? [] : [ttlMs]));
  return told.length === 0 ? null : Math.min(...told);
}
