import type { Endpoint, Random } from "../core/index.js";
import type { PickerPolicy } from "./pickers/index.js";
import { orderAddresses } from "./pickers/order-addresses.js";

/**
 * The endpoints in the order in which they are preferred: by priority, our own zone first, and otherwise as the
 * resolver has them, or as pick_first tries them (R113).
 */
export function inPreferredOrder(
  endpoints: readonly Endpoint[],
  policy: PickerPolicy,
  zone: string | null,
  random: Random,
): readonly Endpoint[] {
  const isShuffled = policy.isShuffled === true;
  const listed = policy.connects === "first" ? orderAddresses(endpoints, { isShuffled, random }) : endpoints;
  const isPlain = listed.every(({ priority = 0, zone: own }) => priority === 0 && own !== zone);
  if (isPlain) return listed;
  const distance = (endpoint: Endpoint) => (zone !== null && endpoint.zone === zone ? 0 : 1);
  // The sort is stable.
  return [...listed].sort((a, b) => (a.priority ?? 0) - (b.priority ?? 0) || distance(a) - distance(b));
}

/** False where the connections of the one are of no use for the other: another name, or another way there. */
export function isSameServer(a: Endpoint, b: Endpoint): boolean {
  return a.serverName === b.serverName && a.isProxied === b.isProxied;
}
