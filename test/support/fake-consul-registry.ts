/** An instance of a service, as tests describe it; what is left out is as Consul has it by default. */
export interface FakeInstance {
  readonly id: string;
  /** Empty for the node's. */
  readonly address?: string;
  readonly port?: number;
  readonly tags?: readonly string[];
  readonly meta?: Readonly<Record<string, string>>;
  readonly weights?: { readonly Passing: number; readonly Warning: number };
  readonly status?: string;
  readonly node?: string;
  readonly nodeAddress?: string;
  readonly zone?: string;
  readonly taggedAddresses?: Readonly<Record<string, { readonly Address: string; readonly Port: number }>>;
}

/** Consul takes no zone without one. */
export const REGION = "region-1";

interface Entry {
  readonly Node: Readonly<Record<string, unknown>>;
  readonly Service: {
    readonly ID: string;
    readonly Tags: readonly string[];
    readonly [key: string]: unknown;
  };
  readonly Checks: readonly { readonly Status: string; readonly [key: string]: unknown }[];
}

/** What the fake knows: services, and one index that every change raises. */
export class FakeConsulRegistry {
  index = 10;
  readonly #services = new Map<string, readonly Entry[]>();
  readonly #waiters = new Set<() => void>();

  /** Replaces all instances of a service in a datacentre. */
  set(service: string, instances: readonly FakeInstance[], datacenter = "dc1"): void {
    const entries = instances.map((instance) => entryOf(service, instance, datacenter));
    this.#services.set(`${datacenter}/${service}`, entries);
    this.touch();
  }

  /** The index moves, and nothing else does: other services of a busy Consul. */
  touch(): void {
    this.index++;
    this.#wakeAll();
  }

  /** The state is gone, as with a dev agent that is started anew. */
  forget(): void {
    this.#services.clear();
    this.index = 10;
  }

  knows(datacenter: string): boolean {
    const prefix = `${datacenter}/`;
    return datacenter === "dc1" || [...this.#services.keys()].some((key) => key.startsWith(prefix));
  }

  entries(service: string, query: URLSearchParams): readonly Entry[] {
    const all = this.#services.get(`${query.get("dc") ?? "dc1"}/${service}`) ?? [];
    const tags = query.getAll("tag");
    return all.filter(
      ({ Service, Checks }) =>
        tags.every((tag) => Service.Tags.includes(tag)) &&
        (!query.has("passing") || Checks.every(({ Status }) => Status === "passing")),
    );
  }

  /** As the real one's streaming backend writes them, which answers blocking questions: null for what is empty. */
  streamed(service: string, query: URLSearchParams): readonly unknown[] {
    return this.entries(service, query).map((entry) => {
      const { Meta } = entry.Service;
      const isBare = Object.keys(Meta as object).length === 0;
      return { ...entry, Service: { ...entry.Service, Meta: isBare ? null : Meta } };
    });
  }

  /** Calls back once, at the next change. @returns what stops waiting */
  onChange(run: () => void): () => void {
    this.#waiters.add(run);
    return () => this.#waiters.delete(run);
  }

  #wakeAll(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiters) wake();
  }
}

function entryOf(service: string, instance: FakeInstance, datacenter: string): Entry {
  const { id, address = "", port = 0, tags = [], meta = {}, status = "passing" } = instance;
  const { node = "consul-1", nodeAddress = "127.0.0.1", zone, taggedAddresses = {} } = instance;
  const check = (CheckID: string, Status: string) => ({ CheckID, Status, Node: node, Output: "" });
  return {
    Node: {
      Node: node,
      Address: nodeAddress,
      Datacenter: datacenter,
      TaggedAddresses: { lan: nodeAddress, wan: nodeAddress },
      Meta: {},
    },
    Service: {
      ID: id,
      Service: service,
      Tags: tags,
      Address: address,
      ...(port !== 0 && { Port: port }),
      Meta: meta,
      TaggedAddresses: taggedAddresses,
      Weights: instance.weights ?? { Passing: 1, Warning: 1 },
      ...(zone !== undefined && { Locality: { Region: REGION, Zone: zone } }),
    },
    Checks: [check("serfHealth", "passing"), check(`service:${id}`, status)],
  };
}
