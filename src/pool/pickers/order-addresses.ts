import type { Endpoint, Random } from "../../core/index.js";

/**
 * The order in which pick_first tries endpoints (R113): by lot when asked for, then IPv6 and IPv4 in turn, so that a
 * network without one of the two costs one try.
 */
export function orderAddresses<E extends Endpoint>(
  endpoints: readonly E[],
  { isShuffled, random }: { readonly isShuffled: boolean; readonly random: Random },
): E[] {
  return interleaveFamilies(isShuffled ? weightedShuffle(endpoints, random) : endpoints);
}

/** By lot, heavier ones rather at the front (gRFC A113, R117); without weights every order has the same chance. */
export function weightedShuffle<E extends Endpoint>(endpoints: readonly E[], random: Random): E[] {
  return endpoints
    .map((endpoint) => ({ endpoint, key: lotOf(endpoint.weight ?? 1, random) }))
    .sort((a, b) => b.key - a.key)
    .map(({ endpoint }) => endpoint);
}

/** The logarithm of u^(1/weight): the same order, where large weights would round all to 1. */
function lotOf(weight: number, random: Random): number {
  return Math.log(1 - random.next()) / (weight > 0 && weight < Number.POSITIVE_INFINITY ? weight : 1);
}

/** IPv6 and others in turn, beginning with the family of the first. Names and unix sockets go with IPv4. */
export function interleaveFamilies<E extends Endpoint>(endpoints: readonly E[]): E[] {
  const isFirstIPv6 = isIPv6(endpoints[0]);
  const first = endpoints.filter((endpoint) => isIPv6(endpoint) === isFirstIPv6);
  const second = endpoints.filter((endpoint) => isIPv6(endpoint) !== isFirstIPv6);
  const ordered: E[] = [];
  for (let index = 0; index < Math.max(first.length, second.length); index++)
    ordered.push(...first.slice(index, index + 1), ...second.slice(index, index + 1));
  return ordered;
}

function isIPv6(endpoint: Endpoint | undefined): boolean {
  return endpoint?.address.startsWith("[") === true;
}
