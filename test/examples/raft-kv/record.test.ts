import { describe, expect, it, vi } from "vitest";
import { decodeRecords, encodeRecord } from "../../../examples/raft-kv/raft/record.js";

const TAIL_BYTES = 4 * 1024 * 1024;

const checksummed = vi.hoisted(() => ({ bytes: 0, limit: 0 }));

vi.mock("node:zlib", async (load) => {
  const zlib = await load<typeof import("node:zlib")>();
  const crc32 = (data: Uint8Array): number => {
    checksummed.bytes += data.length;
    if (checksummed.bytes > checksummed.limit) throw new Error(`more than ${checksummed.limit} bytes`);
    return zlib.crc32(data);
  };
  return { ...zlib, crc32 };
});

const first = encodeFreely(Buffer.from("synced"), 0);

function encodeFreely(payload: Uint8Array, offset: number): Uint8Array {
  Object.assign(checksummed, { bytes: 0, limit: Number.POSITIVE_INFINITY });
  return encodeRecord(payload, offset);
}

/** The log after a crash that kept a client's bytes of the last record and lost its header. */
function withoutHeader(repeated: Uint8Array): Uint8Array {
  const last = encodeFreely(Buffer.alloc(TAIL_BYTES, repeated), first.length);
  return Buffer.concat([first, last.fill(0, 0, 16)]);
}

/** As a client would do who knew where in the file each byte of its value comes to stand. */
function cutShortWithRecordsInside(): Uint8Array {
  const inner = Array.from({ length: 1_000 }, (_, at) =>
    encodeFreely(Buffer.alloc(1_000, 1), first.length + 16 + at * 1_016),
  );
  const last = encodeFreely(Buffer.concat([...inner, Buffer.alloc(TAIL_BYTES)]), first.length);
  return Buffer.concat([first, last.subarray(0, -1)]);
}

describe("a torn tail costs a start-up no more than reading it a few times, though a client chose its bytes", () => {
  const magic = first.subarray(0, 4);
  const tails: Record<string, () => Uint8Array> = {
    "each place reads as a length within the file": () => withoutHeader(Uint8Array.of(0, 0x10)),
    "each place reads as a header's magic": () => withoutHeader(magic),
    "each place reads as a header of a long record": () =>
      withoutHeader(Uint8Array.of(...magic, 0, 0x10, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8)),
    "whole records stand in it": cutShortWithRecordsInside,
  };

  for (const [title, make] of Object.entries(tails)) {
    it(`when ${title}`, () => {
      const content = make();
      Object.assign(checksummed, { bytes: 0, limit: 8 * content.length });

      const payloads: string[] = [];
      const wholeBytes = decodeRecords(content, (payload) => payloads.push(String(payload)));

      expect(payloads).toEqual(["synced"]);
      expect(wholeBytes).toBe(first.length);
      expect(checksummed.bytes).toBeLessThan(8 * content.length);
    });
  }
});

it("refuses a bad record before a torn one, whose header shows that the bad one had been synced", () => {
  const second = encodeFreely(Buffer.from("torn"), first.length);
  const content = Buffer.concat([first, second.subarray(0, -1)]);
  content[first.length - 1]! ^= 1;

  expect(() => decodeRecords(content, () => {})).toThrow(
    `the record at byte 0 is bad and another one follows at byte ${first.length}`,
  );
});
