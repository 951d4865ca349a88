import type { RingMember } from "./ring-member.js";

/** Entries at most on a ring by weight: what takes about half a second to make. */
const MAX_ENTRIES = 1_048_576;
/** Where the mean weight is more than about two to this power, or less than its inverse, weights are scaled. */
const MAX_STEPS = 3;

/**
 * How many entries a ring has: as gRPC has it, of all its members together, or so many for each unit of a member's
 * weight, whoever the others are.
 */
export type RingSize = { readonly min: number; readonly max: number } | { readonly perWeight: number };

export function isSameSize(a: RingSize, b: RingSize): boolean {
  if ("perWeight" in a || "perWeight" in b)
    return "perWeight" in a && "perWeight" in b && a.perWeight === b.perWeight;
  return a.min === b.min && a.max === b.max;
}

/** How many entries each member gets. @param members at least one */
export function entryCounts(members: readonly RingMember[], size: RingSize): Uint32Array {
  const total = members.reduce((sum, { weight }) => sum + weight, 0);
  return "perWeight" in size
    ? countsPerWeight(members, total, size.perWeight)
    : sharesOf(members, total, size.min, size.max);
}

/** R129. Where the members are more than `max`, some have none. */
function sharesOf(members: readonly RingMember[], total: number, min: number, max: number): Uint32Array {
  const least = members.reduce(
    (lightest, { weight }) => Math.min(lightest, weight),
    Number.POSITIVE_INFINITY,
  );
  // So many that the lightest member has a whole number of entries.
  const scale = Math.min(Math.ceil((least * min) / total) * (total / least), max);
  const size = Math.ceil(scale);
  let entries = 0;
  let weightSoFar = 0;
  return Uint32Array.from(members, ({ weight }) => {
    weightSoFar += weight;
    const before = entries;
    entries = Math.max(entries, Math.ceil(Math.min(size, (scale * weightSoFar) / total)));
    return entries - before;
  });
}

/**
 * What a member gets does not depend on the others, so that keys move only to an endpoint that comes, or from one that
 * goes. But where weights are far from 1, or the ring would be too large, a unit of them counts a power of two more or less.
 */
function countsPerWeight(members: readonly RingMember[], total: number, perWeight: number): Uint32Array {
  const steps = Math.round(Math.log2(total / members.length));
  let each = Math.abs(steps) <= MAX_STEPS ? perWeight : perWeight / 2 ** steps;
  while (each > 1 && each * total > MAX_ENTRIES) each /= 2;
  return Uint32Array.from(members, ({ weight }) => Math.max(1, Math.round(each * weight)));
}
