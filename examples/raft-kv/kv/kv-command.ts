import type { KvCommand, KvOperation } from "holdfast";
import { NO_OP } from "../raft/no-op.js";

/** The bytes of a command in the log: `[operation u8][client id u64][command id u64][key length u32][key][value]`. */

const HEAD_BYTES = 1 + 8 + 8 + 4;
/** From 1: an operation of 0 is the no-op. */
const OPERATIONS: readonly KvOperation[] = ["put", "append", "get"];

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** How many bytes `encodeKvCommand` makes of it. */
export function kvCommandBytes({ key, value }: KvCommand): number {
  return HEAD_BYTES + Buffer.byteLength(key) + Buffer.byteLength(value);
}

export function encodeKvCommand(command: KvCommand): Uint8Array {
  const { key, value, op, clientId, commandId } = command;
  const bytes = Buffer.alloc(kvCommandBytes(command));
  bytes.writeUInt8(OPERATIONS.indexOf(op) + 1, 0);
  bytes.writeBigUInt64BE(clientId, 1);
  bytes.writeBigUInt64BE(commandId, 9);
  const keyLength = bytes.write(key, HEAD_BYTES);
  bytes.writeUInt32BE(keyLength, 17);
  bytes.write(value, HEAD_BYTES + keyLength);
  return bytes;
}

/**
 * @returns null for a leader's no-op
 * @throws RangeError when no node of this program wrote it; to skip it would let the nodes' data drift apart
 */
export function decodeKvCommand(bytes: Uint8Array): KvCommand | null {
  if (bytes.length === NO_OP.length && bytes[0] === NO_OP[0]) return null;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const op = OPERATIONS[(bytes[0] ?? 0) - 1];
  const valueStart =
    bytes.length < HEAD_BYTES ? Number.POSITIVE_INFINITY : HEAD_BYTES + view.readUInt32BE(17);
  if (op === undefined || valueStart > bytes.length)
    throw new RangeError(`a command of ${bytes.length} bytes in the log is none of this program's`);
  return {
    op,
    clientId: view.readBigUInt64BE(1),
    commandId: view.readBigUInt64BE(9),
    key: utf8.decode(bytes.subarray(HEAD_BYTES, valueStart)),
    value: utf8.decode(bytes.subarray(valueStart)),
  };
}
