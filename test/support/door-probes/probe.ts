import * as grpc from "@grpc/grpc-js";
import type { CallArgs, CallEnd } from "../contract-calls.js";
import { callToEnd } from "../contract-calls.js";
import type { DoorOptions, Entrance, OpenDoor } from "../contract-doors.js";
import { QUICK } from "../contract-doors.js";
import type { Verdict } from "../door-differences.js";
import { type RawHandler, RawHttp2Server, respondTrailersOnly } from "../raw-http2-server.js";

type ChannelSettings = NonNullable<DoorOptions["channel"]>;

/** Finds out by calls what a door can carry. */
export type Probe = (entrance: Entrance) => Promise<Verdict>;

export function yesIf(isSo: boolean): Verdict {
  return isSo ? "yes" : "no";
}

export function reasonOf(error: unknown): unknown {
  return error === null ? undefined : Reflect.get(error as object, "reason");
}

/** Metadata that declares a call idempotent, at every door. */
export function harmless(): grpc.Metadata {
  return new grpc.Metadata({ idempotentRequest: true });
}

/** Options of a channel on top of those that make retries quick. */
export function quick(options: ChannelSettings): ChannelSettings {
  return { ...QUICK, ...options, retry: { ...QUICK.retry, ...(options.retry || {}) } };
}

export async function raw(entrance: Entrance, handler: RawHandler): Promise<RawHttp2Server> {
  return entrance.use(await RawHttp2Server.start(handler));
}

/** A server that says UNAVAILABLE to every call. */
export function unavailable(entrance: Entrance): Promise<RawHttp2Server> {
  return raw(entrance, ({ stream }) => respondTrailersOnly(stream, grpc.status.UNAVAILABLE, "down"));
}

export function unary(entrance: Entrance, { stub }: OpenDoor, args: CallArgs = {}): Promise<CallEnd> {
  return callToEnd(entrance.flavour, stub, "unary", args);
}
