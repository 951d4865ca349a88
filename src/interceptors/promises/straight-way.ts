import type { ChannelInterface, Client } from "@grpc/grpc-js";
import { ChannelView, ResilientChannel } from "../../call/index.js";

/** Our channel under a stub; null for a stub of grpc-js's own. */
export function channelOf(stub: Client): ChannelView | ResilientChannel | null {
  const channel: unknown = stub.getChannel();
  return channel instanceof ChannelView || channel instanceof ResilientChannel ? channel : null;
}

/**
 * Tells whether nothing stands between a stub's methods and its channel. grpc-js's `Client` keeps its channel, two
 * lists of interceptors and a transformer of calls under nameless symbols: these four and no others must be there, the
 * lists empty and no transformer. The lists are asked at each call, because they are the user's own arrays.
 *
 * @returns null when there is something in between, or when we cannot be sure
 */
export function straightWay(stub: Client): (() => boolean) | null {
  const kept = new Map<symbol, unknown>();
  let level: object = stub;
  while (!Object.hasOwn(level, "constructor")) {
    for (const key of Object.getOwnPropertySymbols(level)) {
      if (!kept.has(key)) kept.set(key, Reflect.get(level, key));
    }
    level = Object.getPrototypeOf(level);
    if (level === null) return null;
  }
  const channel: ChannelInterface = stub.getChannel();
  const values = [...kept.values()];
  const lists = values.filter((value) => Array.isArray(value));
  const [first, second] = lists;
  const isAsKnown =
    values.length === 4 &&
    values.filter((value) => value === channel).length === 1 &&
    values.filter((value) => value === undefined).length === 1;
  if (!isAsKnown || first === undefined || second === undefined) return null;
  return () => first.length === 0 && second.length === 0;
}
