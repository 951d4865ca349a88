import type { Endpoint, Random } from "../core/index.js";
import type { PickerPolicy } from "./pickers/index.js";

/**
 * The endpoints in the order in which they are preferred: by priority, our own zone first, and otherwise as the
 * resolver has them.
 */
export function inPreferredOrder(
  endpoints: readonly Endpoint[],
  _policy: PickerPolicy,
  zone: string | null,
  _random: Random,
): readonly Endpoint[] {
  const isPlain = endpoints.every(({ priority = 0, zone: own }) => priority === 0 && own !== zone);
  if (isPlain) return endpoints;
  const distance = (endpoint: Endpoint) => (zone !== null && endpoint.zone === zone ? 0 : 1);
  // The sort is stable.
  return [...endpoints].sort((a, b) => (a.priority ?? 0) - (b.priority ?? 0) || distance(a) - distance(b));
}

/** False where the connections of the one are of no use for the other: another name, or another way there. */
export function isSameServer(a: Endpoint, b: Endpoint): boolean {
  return a.serverName === b.serverName && a.isProxied === b.isProxied;
}
