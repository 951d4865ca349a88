import { Resolver } from "node:dns/promises";

/** One address of a name; its TTL is in seconds. */
export interface AddressRecord {
  readonly address: string;
  readonly ttl: number;
}

/** One SRV record; `name` is the host, empty or `.` where the service is not available (RFC 2782). */
export interface ServiceRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** Questions to DNS servers. They reject with a sentence and Node's `code`, such as ENOTFOUND or ESERVFAIL. */
export interface DnsQueries {
  ipv4(host: string): Promise<readonly AddressRecord[]>;
  ipv6(host: string): Promise<readonly AddressRecord[]>;
  services(name: string): Promise<readonly ServiceRecord[]>;
  /** Ends what is under way. */
  cancel(): void;
}

/** How often one server is asked before the next: datagrams get lost. */
const TRIES = 2;
/**
 * What these tries may take together, in units of the first: the wait for the second is doubled, and Node looks at the time
 * only now and then. A question must be over when the look-up is, as it keeps the process alive.
 */
const SHARES = 5;

interface Lane {
  readonly server: string;
  readonly resolver: Resolver;
}

/**
 * Asks by Node's own DNS client, which follows CNAMEs, asks again by TCP where an answer is too long for a datagram, and
 * keeps nothing. One server after the other is asked, the one that answered last first: Node by itself goes to the next
 * when a server is silent, but not when it fails.
 * @param servers as `setServers` takes them; empty for those of the system
 * @param timeoutMs by when a question has failed at all servers; with less than about 1,000 for each it takes longer, as
 *   Node waits 250 ms at least for a try
 */
export function nodeQueries(servers: readonly string[], timeoutMs: number): DnsQueries {
  const queries = new NodeQueries(servers, timeoutMs);
  return {
    ipv4: (host) => queries.ask(`the host "${host}" (A)`, (server) => server.resolve4(host, { ttl: true })),
    ipv6: (host) =>
      queries.ask(`the host "${host}" (AAAA)`, (server) => server.resolve6(host, { ttl: true })),
    services: (name) => queries.ask(`the service "${name}" (SRV)`, (server) => server.resolveSrv(name)),
    cancel: () => queries.cancel(),
  };
}

class NodeQueries {
  #lanes: readonly Lane[] = [];
  /** The place of the server that answered last. */
  #preferred = 0;
  #isCancelled = false;

  constructor(
    private readonly servers: readonly string[],
    private readonly timeoutMs: number,
  ) {}

  async ask<T>(what: string, question: (resolver: Resolver) => Promise<T>): Promise<T> {
    const lanes = this.#ready();
    const first = this.#preferred;
    const failures: string[] = [];
    for (let step = 0; ; step++) {
      const place = (first + step) % lanes.length;
      const { resolver, server } = lanes[place] as Lane;
      try {
        const answer = await question(resolver);
        this.#preferred = place;
        return answer;
      } catch (cause) {
        const code = codeOf(cause) ?? String(cause);
        failures.push(`${code} (${server})`);
        if (saysNone(cause)) this.#preferred = place;
        else if (step < lanes.length - 1 && !this.#isCancelled) continue;
        const error = new Error(`${what} could not be resolved: ${failures.join(", ")}`, { cause });
        throw Object.assign(error, { code });
      }
    }
  }

  cancel(): void {
    this.#isCancelled = true;
    for (const { resolver } of this.#lanes) resolver.cancel();
  }

  /** Those of the system are read anew for each question, as they change with the network. */
  #ready(): readonly Lane[] {
    if (this.servers.length > 0 && this.#lanes.length > 0) return this.#lanes;
    const servers = this.servers.length > 0 ? this.servers : new Resolver().getServers();
    const timeout = Math.max(1, Math.floor(this.timeoutMs / (SHARES * Math.max(1, servers.length))));
    this.#lanes = servers.map((server) => {
      const resolver = new Resolver({ timeout, tries: TRIES });
      resolver.setServers([server]);
      return { server, resolver };
    });
    return this.#lanes;
  }
}

/** True for an error by which a server says that there is no such name or record: an answer, where others are the lack of one. */
export function saysNone(error: unknown): boolean {
  const code = codeOf(error);
  return code === "ENOTFOUND" || code === "ENODATA";
}

/** True for the error of a question that nobody answered. */
export function saysNothing(error: unknown): boolean {
  return codeOf(error) === "ETIMEOUT";
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && "code" in error ? String(error.code) : null;
}
