import { Xxh64 } from "./hash.js";

/** What has a place on a ring. */
export interface RingMember {
  /** Equal keys have equal places, whatever the order of the members. */
  readonly key: string;
  /** Above 0. */
  readonly weight: number;
}

/**
 * Members spread over the circle of 64-bit hashes, each in proportion to its weight (gRFC A42, in Envoy's form). It does
 * not change; only the walk that is under way lives in it too, for picks are synchronous, and one ends before the next.
 */
export class Ring {
  readonly #highs: Uint32Array;
  readonly #lows: Uint32Array;
  /** Whose entry each is, as an index into the members. */
  readonly #owners: Uint32Array;
  /** The walk in which each member was met last. */
  readonly #met: Float64Array;
  #walk = 0;
  #at = 0;
  #left = 0;

  /**
   * @param members at least one
   * @param minSize entries it has at least, `maxSize` permitting
   * @param maxSize entries it has at most. Where the members are more than that, some have none.
   */
  constructor(members: readonly RingMember[], minSize: number, maxSize: number) {
    const entries = hashEntries(members, minSize, maxSize);
    const order = entries.owners.map((_, index) => index).sort(byHash(entries));
    this.#highs = order.map((entry) => entries.highs[entry] as number);
    this.#lows = order.map((entry) => entries.lows[entry] as number);
    this.#owners = order.map((entry) => entries.owners[entry] as number);
    this.#met = new Float64Array(members.length);
  }

  /** Number of entries. */
  get size(): number {
    return this.#owners.length;
  }

  /** Begins a walk at the first entry whose hash is the given one or larger, wrapping around. */
  seek(high: number, low: number): void {
    this.#walk++;
    this.#at = this.#firstFrom(high, low);
    this.#left = this.size;
  }

  /** The next member of the walk, each once, as an index; -1 after the last. */
  next(): number {
    const owners = this.#owners;
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

  #firstFrom(high: number, low: number): number {
    let from = 0;
    let to = this.size;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const entryHigh = this.#highs[middle] as number;
      const isBefore = entryHigh < high || (entryHigh === high && (this.#lows[middle] as number) < low);
      if (isBefore) from = middle + 1;
      else to = middle;
    }
    return from === this.size ? 0 : from;
  }
}

interface Entries {
  readonly highs: Uint32Array;
  readonly lows: Uint32Array;
  readonly owners: Uint32Array;
}

function hashEntries(members: readonly RingMember[], minSize: number, maxSize: number): Entries {
  const total = members.reduce((sum, { weight }) => sum + weight, 0);
  const least = members.reduce((min, { weight }) => Math.min(min, weight), Number.POSITIVE_INFINITY);
  // So many that the lightest member has a whole number of entries.
  const scale = Math.min(Math.ceil((least * minSize) / total) * (total / least), maxSize);
  const size = Math.ceil(scale);
  const [highs, lows, owners] = [new Uint32Array(size), new Uint32Array(size), new Uint32Array(size)];
  const hash = new Xxh64();
  let entry = 0;
  let weightSoFar = 0;
  members.forEach(({ key, weight }, owner) => {
    weightSoFar += weight;
    const end = Math.min(size, (scale * weightSoFar) / total);
    for (let number = 0; entry < end; number++, entry++) {
      hash.update(`${key}_${number}`);
      highs[entry] = hash.high;
      lows[entry] = hash.low;
      owners[entry] = owner;
    }
  });
  return { highs, lows, owners };
}

function byHash({ highs, lows, owners }: Entries): (a: number, b: number) => number {
  return (a, b) =>
    (highs[a] as number) - (highs[b] as number) ||
    (lows[a] as number) - (lows[b] as number) ||
    (owners[a] as number) - (owners[b] as number);
}
