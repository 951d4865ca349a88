import { crc32 } from "node:zlib";

/**
 * Records one after another: `[magic][length u32][payload's crc32 u32][header's crc32 u32][payload]`. The header's
 * checksum covers length, payload's checksum and the record's place in the file.
 */

/** Never overlaps itself, and no text: 0xf5 is in no UTF-8. */
const MAGIC = Uint8Array.of(0xf5, 0x52, 0x4b, 0x56);
const HEADER_BYTES = MAGIC.length + 3 * 4;

/** What is on disk is not what was written, and not in the way a crash explains. Nothing has been changed. */
export class LogCorruptError extends Error {
  override readonly name = "LogCorruptError";
}

interface Header {
  readonly payloadChecksum: number;
  readonly payloadStart: number;
  /** Where the next record begins. */
  readonly end: number;
}

/** @param offset where in the file it will stand */
export function encodeRecord(payload: Uint8Array, offset: number): Uint8Array {
  const record = new Uint8Array(HEADER_BYTES + payload.length);
  const view = new DataView(record.buffer);
  const payloadChecksum = crc32(payload);
  record.set(MAGIC);
  view.setUint32(4, payload.length);
  view.setUint32(8, payloadChecksum);
  view.setUint32(12, headerChecksum(payload.length, payloadChecksum, offset));
  record.set(payload, HEADER_BYTES);
  return record;
}

/**
 * Reads records up to the end, or up to a last one that is torn: cut short, garbled or full of zeros. Each record is
 * synced before the next is written, so only the last can be torn. In linear time, whatever clients have put into it.
 *
 * @param take gets each payload at once: millions of them held together would need more memory than the node itself
 * @returns bytes of the whole records; what follows is the torn rest of one that was never synced
 * @throws LogCorruptError when another record follows a bad one
 */
export function decodeRecords(content: Uint8Array, take: (payload: Uint8Array) => void): number {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  for (let offset = 0; ; ) {
    const header = headerAt(bytes, offset);
    const payload = header === null ? null : payloadOf(bytes, header);
    if (header === null || payload === null) {
      // A good header tells where its record ends, so that nothing inside it is taken for another.
      refuseLaterRecord(bytes, offset, header?.end ?? offset + 1);
      return offset;
    }
    take(payload);
    offset = header.end;
  }
}

/** A header is enough, whole record or not: before it was written, everything up to it had been synced. */
function refuseLaterRecord(bytes: Buffer, bad: number, from: number): void {
  for (let later = bytes.indexOf(MAGIC, from); later >= 0; later = bytes.indexOf(MAGIC, later + 1)) {
    if (headerAt(bytes, later) === null) continue;
    throw new LogCorruptError(
      `the log is corrupt: the record at byte ${bad} is bad and another one follows at byte ${later}, ` +
        "which no crash leaves behind; restore the file, or remove the node from the cluster",
    );
  }
}

/** The header at this offset, null when there is none that was written there. */
function headerAt(bytes: Buffer, offset: number): Header | null {
  const payloadStart = offset + HEADER_BYTES;
  if (payloadStart > bytes.length || MAGIC.some((byte, at) => bytes[offset + at] !== byte)) return null;
  const length = bytes.readUInt32BE(offset + 4);
  const payloadChecksum = bytes.readUInt32BE(offset + 8);
  if (headerChecksum(length, payloadChecksum, offset) !== bytes.readUInt32BE(offset + 12)) return null;
  return { payloadChecksum, payloadStart, end: payloadStart + length };
}

function payloadOf(bytes: Buffer, { payloadChecksum, payloadStart, end }: Header): Uint8Array | null {
  if (end > bytes.length) return null;
  const payload = bytes.subarray(payloadStart, end);
  return crc32(payload) === payloadChecksum ? payload : null;
}

/** The offset is part of it, so that a copy of a record inside a value, or one that moved, is never taken for one. */
function headerChecksum(length: number, payloadChecksum: number, offset: number): number {
  const covered = Buffer.allocUnsafe(16);
  covered.writeBigUInt64BE(BigInt(offset), 0);
  covered.writeUInt32BE(length, 8);
  covered.writeUInt32BE(payloadChecksum, 12);
  return crc32(covered);
}
