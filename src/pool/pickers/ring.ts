import { hashEntries, type RingEntries, takeOver } from "./ring-entries.js";
import type { RingMember } from "./ring-member.js";
import { entryCounts, type RingSize } from "./ring-size.js";

/**
 * Members spread over the circle of 64-bit hashes, each in proportion to its weight (gRFC A42, in Envoy's form). It does
 * not change; only the walk that is under way lives in it too, for picks are synchronous, and one ends before the next.
 */
export class Ring {
  readonly #entries: RingEntries;
  readonly #counts: Uint32Array;
  /** The walk in which each member was met last. */
  readonly #met: Float64Array;
  #walk = 0;
  #at = 0;
  #left = 0;

  /**
   * @param members at least one
   * @param previous a ring whose entries are taken over as far as they are the same
   */
  constructor(
    readonly members: readonly RingMember[],
    size: RingSize,
    previous: Ring | null = null,
  ) {
    this.#counts = entryCounts(members, size);
    this.#met = new Float64Array(members.length);
    const places = previous === null ? null : previous.#placesIn(members, this.#counts);
    if (previous === null || places === null) {
      this.#entries = hashEntries(members, this.#counts);
      return;
    }
    const fresh = this.#counts.slice();
    for (const place of places) if (place >= 0) fresh[place] = 0;
    this.#entries = takeOver(previous.#entries, places, hashEntries(members, fresh));
  }

  /** Number of entries. */
  get size(): number {
    return this.#entries.owners.length;
  }

  /**
   * Begins a walk at the first entry whose hash is the given one or larger, wrapping around. Halves of the hash may be
   * signed words.
   */
  seek(high: number, low: number): void {
    this.#walk++;
    this.#at = this.#firstFrom(high, low);
    this.#left = this.size;
  }

  /** The next member of the walk, each once, as an index; -1 after the last. */
  next(): number {
    const { owners } = this.#entries;
    const met = this.#met;
    for (; this.#left > 0; this.#left--) {
      const owner = owners[this.#at] as number;
      this.#at = this.#at + 1 === owners.length ? 0 : this.#at + 1;
      if (met[owner] === this.#walk) continue;
      met[owner] = this.#walk;
      this.#left--;
      return owner;
    }
    return -1;
  }

  /** Where in another set those members stand whose entries are the same there; null where keys are not unique. */
  #placesIn(members: readonly RingMember[], counts: Uint32Array): Int32Array | null {
    const known = new Map(members.map(({ key }, index) => [key, index]));
    const own = new Set(this.members.map(({ key }) => key));
    if (known.size < members.length || own.size < this.members.length) return null;
    return Int32Array.from(this.members, ({ key }, index) => {
      const place = known.get(key);
      return place !== undefined && counts[place] === this.#counts[index] ? place : -1;
    });
  }

  #firstFrom(high: number, low: number): number {
    const { highs, lows } = this.#entries;
    const wantedHigh = high >>> 0;
    const wantedLow = low >>> 0;
    let from = 0;
    let to = this.size;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const entryHigh = highs[middle] as number;
      const isBefore =
        entryHigh < wantedHigh || (entryHigh === wantedHigh && (lows[middle] as number) < wantedLow);
      if (isBefore) from = middle + 1;
      else to = middle;
    }
    return from === this.size ? 0 : from;
  }
}
