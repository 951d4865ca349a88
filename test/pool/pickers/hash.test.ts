import { describe, expect, it } from "vitest";
import { Xxh64 } from "../../../src/pool/pickers/hash.js";

const TEXT = "The quick brown fox jumps over the lazy dog; ".repeat(8);

function hex(text: string, hash = new Xxh64()): string {
  hash.update(text);
  return [hash.high, hash.low].map((half) => half.toString(16).padStart(8, "0")).join("");
}

describe("the hash of keys (R128)", () => {
  // From the reference implementation; lengths on both sides of its stripes of 32, and its tails of 8, 4 and 1.
  it.each([
    [0, "ef46db3751d8e999"],
    [1, "5b4d6af247a3cf7b"],
    [3, "4108f90b5de14d15"],
    [4, "cdf13a49d263200f"],
    [7, "c6fce9d72e310949"],
    [8, "d07b38a78a153b0b"],
    [12, "b2ed38017844f789"],
    [20, "457cd2650fe6aa94"],
    [31, "3f8d95ab32c127d9"],
    [32, "e2bbc9136629a4ee"],
    [33, "6d92fe2ebab7db31"],
    [39, "e01509ec7bdd4b5e"],
    [63, "2f8c2c796464b9ba"],
    [64, "883857cbf0d39967"],
    [256, "bd36f9aa5b8b7c76"],
    [257, "996ed327e10d7aa3"],
    [300, "63edd86ccc717c5d"],
  ])("is XXH64 as every other client computes it, for keys of %d bytes", (length, expected) => {
    expect(hex(TEXT.slice(0, length))).toBe(expected);
  });

  it.each([
    [0, 2_654_435_761, "ac75fda2929b17ef"],
    [14, 2_654_435_761, "4bd1a0e9968cc4ee"],
    [40, 2_654_435_761, "fb4e6fb4a85d9b36"],
    [40, 2 ** 53 - 1, "29c025f26579e9a0"],
  ])("takes a seed (%d bytes, seed %d)", (length, seed, expected) => {
    expect(hex(TEXT.slice(0, length), new Xxh64(seed))).toBe(expected);
  });

  it.each([
    ["grüße, 世界", "dcd6b08fdde56960"],
    ["é".repeat(200), "90200b144ddccd65"],
  ])("is that of the UTF-8 form: %s", (text, expected) => {
    expect(hex(text)).toBe(expected);
  });

  it("owes nothing to the key hashed before", () => {
    const hash = new Xxh64();
    hex(TEXT, hash);
    hex("é".repeat(200), hash);

    expect(hex("abc", hash)).toBe("44bc2cf5ad770999");
  });
});
