import { crc32 } from "node:zlib";

/** Records one after another: `[length u32][crc32 u32][payload]`, the length being that of the payload. */

const HEADER_BYTES = 8;

/** What is on disk is not what was written, and not in the way a crash explains. Nothing has been changed. */
export class LogCorruptError extends Error {
  override readonly name = "LogCorruptError";
}

export interface Records {
  readonly payloads: readonly Uint8Array[];
  /** Bytes of the whole records; what follows is the torn rest of one that was never synced. */
  readonly wholeBytes: number;
}

/** @param offset where in the file it will stand */
export function encodeRecord(payload: Uint8Array, offset: number): Uint8Array {
  const record = new Uint8Array(HEADER_BYTES + payload.length);
  const view = new DataView(record.buffer);
  view.setUint32(0, payload.length);
  view.setUint32(4, checksum(payload, offset));
  record.set(payload, HEADER_BYTES);
  return record;
}

/**
 * Reads records up to the end, or up to a last one that is torn: cut short, garbled or full of zeros. Each record is
 * synced before the next is written, so only the last can be torn.
 *
 * @throws LogCorruptError when a whole record follows a bad one
 */
export function decodeRecords(bytes: Uint8Array): Records {
  const payloads: Uint8Array[] = [];
  let offset = 0;
  for (let payload = payloadAt(bytes, 0); payload !== null; payload = payloadAt(bytes, offset)) {
    payloads.push(payload);
    offset += HEADER_BYTES + payload.length;
  }
  for (let later = offset + 1; later < bytes.length; later++) {
    if (payloadAt(bytes, later) === null) continue;
    throw new LogCorruptError(
      `the log is corrupt: the record at byte ${offset} is bad and a whole one follows at byte ${later}, ` +
        "which no crash leaves behind; restore the file, or remove the node from the cluster",
    );
  }
  return { payloads, wholeBytes: offset };
}

/** The payload of the record at this offset, null when there is no whole one. */
function payloadAt(bytes: Uint8Array, offset: number): Uint8Array | null {
  const start = offset + HEADER_BYTES;
  if (start >= bytes.length) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, HEADER_BYTES);
  const length = view.getUint32(0);
  // No record is empty, or a tail of zeros would read as many of them: crc32 of nothing is zero.
  if (length === 0 || length > bytes.length - start) return null;
  const payload = bytes.subarray(start, start + length);
  return checksum(payload, offset) === view.getUint32(4) ? payload : null;
}

/** The offset is part of it, so that a copy of a record inside a value, or one that moved, is never taken for one. */
function checksum(payload: Uint8Array, offset: number): number {
  const position = new DataView(new ArrayBuffer(12));
  position.setBigUint64(0, BigInt(offset));
  position.setUint32(8, payload.length);
  return crc32(payload, crc32(position));
}
