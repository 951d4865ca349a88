import type { ConnectivityWord, Endpoint } from "../core/index.js";
import { isSameServer } from "./endpoint-order.js";
import { StateCounts } from "./state-counts.js";
import type { Subchannel } from "./subchannel.js";

/** What an update did. */
export interface SetChange {
  readonly added: string[];
  readonly removed: string[];
  /** Out of the set now, and to be shut down. */
  readonly dismissed: readonly Subchannel[];
}

/** The endpoints of a pool, in the order of preference, and how many are in which state. */
export class EndpointSet {
  readonly #byAddress = new Map<string, Subchannel>();
  readonly #ready = new Set<Subchannel>();
  readonly #counts = new StateCounts<Subchannel>();
  #order: readonly Subchannel[] = [];

  constructor(private readonly make: (endpoint: Endpoint) => Subchannel) {}

  /** All of them, the preferred ones first. */
  get order(): readonly Subchannel[] {
    return this.#order;
  }

  /** Those that are READY, in no order. */
  get ready(): ReadonlySet<Subchannel> {
    return this.#ready;
  }

  /**
   * The state of the target; null for a set not known yet.
   * @param isPicked true where endpoints are connected as they are picked
   */
  aggregate(isPicked: boolean): ConnectivityWord | null {
    return isPicked ? this.#counts.pickedAggregate : this.#counts.aggregate;
  }

  count(state: ConnectivityWord): number {
    return this.#counts.of(state);
  }

  at(address: string): Subchannel | undefined {
    return this.#byAddress.get(address);
  }

  /**
   * Kept endpoints keep everything but what the resolver says of them.
   * @param endpoints in the order of preference, no address twice
   */
  update(endpoints: readonly Endpoint[]): SetChange {
    const before = new Map(this.#byAddress);
    const added: string[] = [];
    this.#byAddress.clear();
    this.#order = endpoints.map((endpoint, rank) => {
      const { address } = endpoint;
      const known = before.get(address);
      const isKept = known !== undefined && isSameServer(known.endpoint, endpoint);
      if (isKept) before.delete(address);
      else if (known === undefined) added.push(address);
      const subchannel = isKept ? known : this.make(endpoint);
      subchannel.endpoint = endpoint;
      subchannel.rank = rank;
      this.#byAddress.set(address, subchannel);
      if (!isKept) this.#counts.set(subchannel, subchannel.aggregateState);
      return subchannel;
    });
    const dismissed = [...before.values()];
    for (const subchannel of dismissed) this.#forget(subchannel);
    const removed = [...before.keys()].filter((address) => !this.#byAddress.has(address));
    return { added, removed, dismissed };
  }

  /** A subchannel is not what it was. @returns false for one that is out of the set */
  note(subchannel: Subchannel): boolean {
    if (this.#byAddress.get(subchannel.endpoint.address) !== subchannel) return false;
    subchannel.note();
    this.#counts.set(subchannel, subchannel.aggregateState);
    if (subchannel.state === "READY") this.#ready.add(subchannel);
    else this.#ready.delete(subchannel);
    return true;
  }

  /**
   * Every connection is full: one more, of the endpoint that has the fewest, among those that may have such calls.
   * @returns true when a dial was begun
   */
  grow(maxConnections: number, path: string): boolean {
    for (let count = 1; count < maxConnections; count++) {
      for (const subchannel of this.#ready) {
        if (subchannel.connections.length !== count || !subchannel.isUsable) continue;
        if (!subchannel.isBarred(path) && subchannel.grow()) return true;
      }
    }
    return false;
  }

  clear(): void {
    for (const subchannel of this.#order) this.#forget(subchannel);
    this.#byAddress.clear();
    this.#order = [];
  }

  #forget(subchannel: Subchannel): void {
    this.#ready.delete(subchannel);
    this.#counts.delete(subchannel);
  }
}
