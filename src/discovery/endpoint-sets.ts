import type { Endpoint } from "../core/index.js";

/** Each address once: of two that are equal the first counts (R110). */
export function eachOnce(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const unique = byAddress(endpoints);
  return unique.size === endpoints.length ? endpoints : [...unique.values()];
}

/** True when the answer is the set once more, in the same order: what most are. Allocates nothing, however many there are. */
export function isRepeated(set: readonly Endpoint[], answer: readonly Endpoint[]): boolean {
  if (set.length !== answer.length) return false;
  return set.every((endpoint, at) => {
    const other = answer[at];
    return other !== undefined && endpoint.address === other.address && isSame(endpoint, other);
  });
}

/** Those of `before` that are not in `after`. */
export function lostFrom(before: readonly Endpoint[], after: readonly Endpoint[]): readonly Endpoint[] {
  const left = byAddress(after);
  return before.filter(({ address }) => !left.has(address));
}

/**
 * True for equal sets, each address once in them; order does not count, as DNS servers rotate their answers. Every field
 * does, absent ones by their default.
 */
export function areEqual(a: readonly Endpoint[], b: readonly Endpoint[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  const others = byAddress(b);
  return a.every((endpoint) => {
    const other = others.get(endpoint.address);
    return other !== undefined && isSame(endpoint, other);
  });
}

function byAddress(endpoints: readonly Endpoint[]): Map<string, Endpoint> {
  const unique = new Map<string, Endpoint>();
  for (const endpoint of endpoints) if (!unique.has(endpoint.address)) unique.set(endpoint.address, endpoint);
  return unique;
}

function isSame(a: Endpoint, b: Endpoint): boolean {
  return (
    a.serverName === b.serverName &&
    (a.isProxied ?? false) === (b.isProxied ?? false) &&
    (a.priority ?? 0) === (b.priority ?? 0) &&
    (a.weight ?? 1) === (b.weight ?? 1) &&
    a.zone === b.zone &&
    a.hashKey === b.hashKey &&
    hasAll(a.metadata, b.metadata) &&
    hasAll(b.metadata, a.metadata)
  );
}

type Metadata = Endpoint["metadata"];

/** True when the other says all that this one says. Without a list of the keys, which would be garbage for each endpoint. */
function hasAll(metadata: Metadata, other: Metadata): boolean {
  for (const key in metadata) if (metadata[key] !== other?.[key]) return false;
  return true;
}
