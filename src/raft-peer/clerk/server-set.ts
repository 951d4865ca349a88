import { type EndpointStats, unseenEndpoint } from "../../call/index.js";
import type { Endpoint } from "../../core/index.js";
import type { UnaryLink } from "../unary-link.js";
import { failedLink } from "./failed-link.js";

/** One server of the cluster, with our link to it. */
export interface KvServer {
  readonly address: string;
  readonly link: UnaryLink;
  /** Commands on their way to it. */
  inFlight: number;
}

/** The servers of the cluster as known now. One that leaves keeps its link until the commands on it have ended. */
export class ServerSet {
  readonly #servers = new Map<string, KvServer>();
  readonly #leaving = new Set<KvServer>();

  constructor(private readonly connect: (endpoint: Endpoint) => UnaryLink) {}

  get size(): number {
    return this.#servers.size;
  }

  get all(): Iterable<KvServer> {
    return this.#servers.values();
  }

  get addresses(): string[] {
    return [...this.#servers.keys()];
  }

  get(address: string): KvServer | undefined {
    return this.#servers.get(address);
  }

  /** Replaces the set: kept servers keep their link. */
  replace(endpoints: readonly Endpoint[]): void {
    const wanted = new Map(endpoints.map((endpoint) => [endpoint.address, endpoint]));
    for (const server of [...this.#servers.values()]) {
      if (wanted.has(server.address)) continue;
      this.#servers.delete(server.address);
      this.#leaving.add(server);
      this.#releaseIdle(server);
    }
    for (const endpoint of wanted.values()) {
      const { address } = endpoint;
      if (!this.#servers.has(address))
        this.#servers.set(address, { address, link: this.#link(endpoint), inFlight: 0 });
    }
  }

  /** A command to it has ended. */
  ended(server: KvServer): void {
    server.inFlight -= 1;
    this.#releaseIdle(server);
  }

  stats(): EndpointStats[] {
    return [...this.#servers.values()].map(statsOf);
  }

  async close(): Promise<void> {
    const servers = [...this.#servers.values(), ...this.#leaving];
    this.#servers.clear();
    this.#leaving.clear();
    await Promise.all(servers.map(({ link }) => link.close()));
  }

  #link(endpoint: Endpoint): UnaryLink {
    try {
      return this.connect(endpoint);
    } catch (error) {
      return failedLink(endpoint.address, error);
    }
  }

  #releaseIdle(server: KvServer): void {
    if (server.inFlight > 0 || !this.#leaving.delete(server)) return;
    // What closing a link could report has nobody left to hear it.
    server.link.close().catch(() => {});
  }
}

/** Only a link over gRPC has an endpoint behind it; and that has none before the first call. */
function statsOf({ address, link, inFlight }: KvServer): EndpointStats {
  return link.endpoint?.() ?? { ...unseenEndpoint(address), callsInFlight: inFlight };
}
