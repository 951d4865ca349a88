// XXH64's primes, high and low halves; as signed words, which stay clear of floating point, as all sums below do.
const P1H = 0x9e3779b1 | 0;
const P1L = 0x85ebca87 | 0;
const P2H = 0xc2b2ae3d | 0;
const P2L = 0x27d4eb4f | 0;
const P3H = 0x165667b1 | 0;
const P3L = 0x9e3779f9 | 0;
const P4H = 0x85ebca77 | 0;
const P4L = 0xc2b2ae63 | 0;
const P5H = 0x27d4eb2f | 0;
const P5L = 0x165667c5 | 0;

const STRIPE = 32;
/** Places in the registers, each of two halves: the hash, a word to work with, four lanes. */
const HASH = 0;
const WORD = 2;
const LANES = 4;
/** Longer texts are encoded into memory of their own. */
const SCRATCH_BYTES = 256;

/**
 * XXH64 of texts, as ring_hash (gRFC A42) and subsetting (A68) need it. Computed on 32-bit halves, because a BigInt
 * hash costs ten times as much and allocates; the halves of the last hash stay in `high` and `low` for the same reason.
 */
export class Xxh64 {
  /** Upper 32 bits of the last hash, unsigned. */
  high = 0;
  /** Lower 32 bits of the last hash, unsigned. */
  low = 0;
  readonly #seedHigh: number;
  readonly #seedLow: number;
  readonly #registers = new Int32Array(12);
  readonly #scratch = new Uint8Array(SCRATCH_BYTES);
  readonly #scratchView = new DataView(this.#scratch.buffer);

  /** @param seed whole number from 0 to 2^53 - 1 */
  constructor(seed = 0) {
    this.#seedHigh = Math.floor(seed / 2 ** 32) | 0;
    this.#seedLow = seed | 0;
  }

  /** Hashes the text's UTF-8 form into `high` and `low`. */
  update(text: string): void {
    if (this.#copyAscii(text)) {
      this.#digest(this.#scratchView, text.length);
      return;
    }
    const bytes = new TextEncoder().encode(text);
    this.#digest(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), bytes.byteLength);
  }

  #copyAscii(text: string): boolean {
    if (text.length > SCRATCH_BYTES) return false;
    const scratch = this.#scratch;
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      if (unit > 0x7f) return false;
      scratch[at] = unit;
    }
    return true;
  }

  #digest(bytes: DataView, length: number): void {
    const r = this.#registers;
    let at = 0;
    if (length >= STRIPE) at = this.#mixStripes(bytes, length);
    else set(r, HASH, this.#seedHigh, this.#seedLow, P5H, P5L);
    add(r, HASH, 0, length);
    mixTail(r, bytes, at, length);
    avalanche(r);
    this.high = (r[HASH] as number) >>> 0;
    this.low = (r[HASH + 1] as number) >>> 0;
  }

  /** @returns where the bytes begin that fill no stripe */
  #mixStripes(bytes: DataView, length: number): number {
    const r = this.#registers;
    const seedHigh = this.#seedHigh;
    const seedLow = this.#seedLow;
    set(r, LANES, seedHigh, seedLow, P1H, P1L);
    add(r, LANES, P2H, P2L);
    set(r, LANES + 2, seedHigh, seedLow, P2H, P2L);
    set(r, LANES + 4, seedHigh, seedLow, 0, 0);
    // Minus P1 is plus its complement.
    set(r, LANES + 6, seedHigh, seedLow, ~P1H, -P1L);
    let at = 0;
    for (; at + STRIPE <= length; at += STRIPE) {
      for (let lane = 0; lane < 4; lane++) mixIn(r, LANES + 2 * lane, bytes, at + 8 * lane);
    }
    sumLanes(r);
    for (let lane = 0; lane < 4; lane++) {
      mixLane(r, LANES + 2 * lane);
    }
    return at;
  }
}

function mixTail(r: Int32Array, bytes: DataView, from: number, length: number): void {
  let at = from;
  for (; at + 8 <= length; at += 8) {
    r[WORD] = r[WORD + 1] = 0;
    mixIn(r, WORD, bytes, at);
    xorWord(r);
    rotate(r, HASH, 27);
    multiply(r, HASH, P1H, P1L);
    add(r, HASH, P4H, P4L);
  }
  if (at + 4 <= length) {
    r[WORD] = 0;
    r[WORD + 1] = bytes.getInt32(at, true);
    multiply(r, WORD, P1H, P1L);
    xorWord(r);
    rotate(r, HASH, 23);
    multiply(r, HASH, P2H, P2L);
    add(r, HASH, P3H, P3L);
    at += 4;
  }
  for (; at < length; at++) {
    r[WORD] = 0;
    r[WORD + 1] = bytes.getUint8(at);
    multiply(r, WORD, P5H, P5L);
    xorWord(r);
    rotate(r, HASH, 11);
    multiply(r, HASH, P1H, P1L);
  }
}

function avalanche(r: Int32Array): void {
  r[HASH + 1]! ^= r[HASH]! >>> 1;
  multiply(r, HASH, P2H, P2L);
  r[HASH + 1]! ^= (r[HASH + 1]! >>> 29) | (r[HASH]! << 3);
  r[HASH]! ^= r[HASH]! >>> 29;
  multiply(r, HASH, P3H, P3L);
  r[HASH + 1]! ^= r[HASH]!;
}

/** One round of a lane: eight bytes of the text are mixed into it. */
function mixIn(r: Int32Array, lane: number, bytes: DataView, at: number): void {
  const low = bytes.getInt32(at, true);
  const high = bytes.getInt32(at + 4, true);
  const productHigh = (Math.imul(high, P2L) + Math.imul(low, P2H) + mulHigh(low, P2L)) | 0;
  add(r, lane, productHigh, Math.imul(low, P2L));
  rotate(r, lane, 31);
  multiply(r, lane, P1H, P1L);
}

/** The lanes, each rotated by its own count, are the hash to begin with. */
function sumLanes(r: Int32Array): void {
  r[HASH] = r[HASH + 1] = 0;
  for (let lane = 0; lane < 4; lane++) {
    copyToWord(r, LANES + 2 * lane);
    rotate(r, WORD, lane === 0 ? 1 : lane === 1 ? 7 : lane === 2 ? 12 : 18);
    add(r, HASH, r[WORD]!, r[WORD + 1]!);
  }
}

function mixLane(r: Int32Array, lane: number): void {
  copyToWord(r, lane);
  multiply(r, WORD, P2H, P2L);
  rotate(r, WORD, 31);
  multiply(r, WORD, P1H, P1L);
  xorWord(r);
  multiply(r, HASH, P1H, P1L);
  add(r, HASH, P4H, P4L);
}

function copyToWord(r: Int32Array, from: number): void {
  r[WORD] = r[from]!;
  r[WORD + 1] = r[from + 1]!;
}

function xorWord(r: Int32Array): void {
  r[HASH]! ^= r[WORD]!;
  r[HASH + 1]! ^= r[WORD + 1]!;
}

function set(r: Int32Array, at: number, high: number, low: number, plusHigh: number, plusLow: number): void {
  r[at] = high;
  r[at + 1] = low;
  add(r, at, plusHigh, plusLow);
}

function add(r: Int32Array, at: number, high: number, low: number): void {
  const own = r[at + 1]!;
  const sum = (own + low) | 0;
  const carry = ((own & low) | ((own | low) & ~sum)) >>> 31;
  r[at + 1] = sum;
  r[at] = (r[at]! + high + carry) | 0;
}

/** By fewer than 32 bits, to the left. */
function rotate(r: Int32Array, at: number, bits: number): void {
  const high = r[at]!;
  const low = r[at + 1]!;
  r[at] = (high << bits) | (low >>> (32 - bits));
  r[at + 1] = (low << bits) | (high >>> (32 - bits));
}

function multiply(r: Int32Array, at: number, high: number, low: number): void {
  const ownHigh = r[at]!;
  const ownLow = r[at + 1]!;
  r[at] = (Math.imul(ownHigh, low) + Math.imul(ownLow, high) + mulHigh(ownLow, low)) | 0;
  r[at + 1] = Math.imul(ownLow, low);
}

/** Upper 32 bits of the product of two unsigned words. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) | 0;
  const carry = (Math.imul(aLow, bHigh) + (middle & 0xffff)) >>> 16;
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + carry) | 0;
}
