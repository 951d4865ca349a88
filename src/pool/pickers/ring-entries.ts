import { Xxh64 } from "./hash.js";
import type { RingMember } from "./ring-member.js";

/** The entries of a ring in the order of their hashes, as columns. */
export interface RingEntries {
  readonly highs: Uint32Array;
  readonly lows: Uint32Array;
  /** Whose each is, as an index into the members. */
  readonly owners: Uint32Array;
}

/**
 * Hashes so many entries for each member; those with a count of 0 get none.
 *
 * @param counts one for each member
 */
export function hashEntries(members: readonly RingMember[], counts: Uint32Array): RingEntries {
  const entries = emptyEntries(counts.reduce((sum, count) => sum + count, 0));
  const hash = new Xxh64();
  let at = 0;
  for (const [owner, { key }] of members.entries()) {
    for (let number = 0; number < (counts[owner] as number); number++, at++) {
      hash.update(`${key}_${number}`);
      entries.highs[at] = hash.high;
      entries.lows[at] = hash.low;
      entries.owners[at] = owner;
    }
  }
  return inOrder(entries);
}

/**
 * Takes entries over to another set of members, beside those that are new: one pass, where hashing and sorting all of a
 * large ring anew would hold up the process.
 *
 * @param places of each old owner: its index in the new set, or -1 where its entries are not taken over
 */
export function takeOver(old: RingEntries, places: Int32Array, fresh: RingEntries): RingEntries {
  let kept = 0;
  for (const owner of old.owners) if ((places[owner] as number) >= 0) kept++;
  const entries = emptyEntries(kept + fresh.owners.length);
  let at = 0;
  const put = ({ highs, lows }: RingEntries, from: number, owner: number) => {
    entries.highs[at] = highs[from] as number;
    entries.lows[at] = lows[from] as number;
    entries.owners[at++] = owner;
  };
  let next = 0;
  for (let from = 0; from < old.owners.length; from++) {
    const place = places[old.owners[from] as number] as number;
    if (place < 0) continue;
    while (next < fresh.owners.length && isBefore(fresh, next, old, from, place)) {
      put(fresh, next, fresh.owners[next++] as number);
    }
    put(old, from, place);
  }
  while (next < fresh.owners.length) put(fresh, next, fresh.owners[next++] as number);
  return entries;
}

function emptyEntries(size: number): RingEntries {
  return { highs: new Uint32Array(size), lows: new Uint32Array(size), owners: new Uint32Array(size) };
}

/** Entries with the same hash stand in the order of their owners, so that one set has one ring, however it came about. */
function isBefore(a: RingEntries, i: number, b: RingEntries, j: number, ownerOfB: number): boolean {
  const high = (a.highs[i] as number) - (b.highs[j] as number);
  if (high !== 0) return high < 0;
  const low = (a.lows[i] as number) - (b.lows[j] as number);
  return low === 0 ? (a.owners[i] as number) < ownerOfB : low < 0;
}

function inOrder({ highs, lows, owners }: RingEntries): RingEntries {
  const order = owners
    .map((_, index) => index)
    .sort(
      (a, b) =>
        (highs[a] as number) - (highs[b] as number) ||
        (lows[a] as number) - (lows[b] as number) ||
        (owners[a] as number) - (owners[b] as number),
    );
  return {
    highs: order.map((entry) => highs[entry] as number),
    lows: order.map((entry) => lows[entry] as number),
    owners: order.map((entry) => owners[entry] as number),
  };
}
