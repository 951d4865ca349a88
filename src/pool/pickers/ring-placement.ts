import type { Endpoint } from "../../core/index.js";
import { Ring } from "./ring.js";
import type { RingMember } from "./ring-member.js";
import { isSameSize, type RingSize } from "./ring-size.js";

interface Placed {
  readonly endpoint: Endpoint;
}

/** The ring of an endpoint set. As states change more often than sets, the next snapshot takes over what still fits. */
export class RingPlacement {
  private constructor(
    readonly ring: Ring,
    /** Where in its list each of them stands. */
    private readonly order: readonly number[],
    private readonly size: RingSize,
  ) {}

  /** Takes over the previous ring where endpoints, weights and size are the same, in whatever order. */
  static of(list: readonly Placed[], previous: RingPlacement | null, size: RingSize): RingPlacement {
    const last = previous !== null && isSameSize(previous.size, size) ? previous : null;
    if (last?.fits(list, last.order)) return last;
    const order = byKey(list);
    if (last?.fits(list, order)) return new RingPlacement(last.ring, order, size);
    const members = order.map((index) => memberOf(list[index] as Placed));
    return new RingPlacement(new Ring(members, size, previous?.ring), order, size);
  }

  /** The list in the ring's order. */
  arrange<T extends Placed>(list: readonly T[]): T[] {
    return this.order.map((index) => list[index] as T);
  }

  private fits(list: readonly Placed[], order: readonly number[]): boolean {
    const { members } = this.ring;
    if (list.length !== members.length) return false;
    return members.every(({ key, weight }, at) => {
      const { endpoint } = list[order[at] as number] as Placed;
      return keyOf(endpoint) === key && weightOf(endpoint) === weight;
    });
  }
}

/** By key, and not as the resolver has it, so that clients with answers in different orders have one ring. */
function byKey(list: readonly Placed[]): number[] {
  const keys = list.map(({ endpoint }) => keyOf(endpoint));
  const addresses = list.map(({ endpoint }) => endpoint.address);
  return list
    .map((_, index) => index)
    .sort((a, b) => compare(keys[a], keys[b]) || compare(addresses[a], addresses[b]));
}

function compare(a = "", b = ""): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function memberOf({ endpoint }: Placed): RingMember {
  return { key: keyOf(endpoint), weight: weightOf(endpoint) };
}

function keyOf({ address, hashKey }: Endpoint): string {
  return hashKey ?? address;
}

/** A weight that says nothing (0, negative, NaN, infinite) counts as none. */
function weightOf({ weight = 1 }: Endpoint): number {
  return weight > 0 && weight < Number.POSITIVE_INFINITY ? weight : 1;
}
