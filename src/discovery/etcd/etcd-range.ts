import type { Clock } from "../../core/index.js";
import { type KeyValue, KVService, RangeRequest, ResponseHeader } from "../../gen/etcdserverpb/rpc.js";
import type { EtcdClient } from "./etcd-client.js";
import { isOutOfRange, isTooLarge } from "./etcd-errors.js";

/** Endpoints take some 200 bytes, a message may have 4 MiB. */
const PAGE_KEYS = 2_000;
const SMALLER = 10;

/** All keys under a prefix, as they were at one revision. */
export interface EtcdSnapshot {
  readonly pairs: readonly KeyValue[];
  readonly header: ResponseHeader;
}

/** The keys that begin with `prefix/`: the first of them, and the first beyond them. */
export function boundsOf(prefix: string): { readonly key: Buffer; readonly rangeEnd: Buffer } {
  return { key: Buffer.from(`${prefix}/`), rangeEnd: Buffer.from(`${prefix}0`) };
}

/**
 * Reads all keys under a prefix, page by page, all at the revision of the first page. By default etcd reads through its
 * quorum, so that a member which has fallen behind cannot bring old endpoints back.
 *
 * @param timeoutMs for each page
 */
export async function readPrefix(
  client: EtcdClient,
  clock: Pick<Clock, "now">,
  prefix: string,
  timeoutMs: number,
): Promise<EtcdSnapshot> {
  const bounds = boundsOf(prefix);
  const pairs: KeyValue[] = [];
  let header = ResponseHeader.create();
  let limit = PAGE_KEYS;
  for (let key = bounds.key, isMore = true; isMore; ) {
    const request = RangeRequest.create({ ...bounds, key, limit: BigInt(limit), revision: header.revision });
    try {
      const page = await client.call(KVService.range, request, clock.now() + timeoutMs);
      if (header.revision === 0n) header = page.header ?? header;
      for (const pair of page.kvs) pairs.push(pair);
      const last = page.kvs.at(-1);
      isMore = page.more && last !== undefined;
      // The smallest key that comes after it.
      if (last !== undefined) key = Buffer.concat([last.key, Buffer.of(0)]);
    } catch (error) {
      if (isTooLarge(error) && limit > 1) {
        limit = Math.max(1, Math.floor(limit / SMALLER));
      } else if (isOutOfRange(error) && header.revision > 0n) {
        throw new Error(`revision ${header.revision} was compacted while it was read`, { cause: error });
      } else throw error;
    }
  }
  return { pairs, header };
}
