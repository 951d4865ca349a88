import type { ChannelCredentials, ChannelInterface } from "@grpc/grpc-js";
import type { Random } from "../core/index.js";
import type { PassthroughTarget } from "../discovery/index.js";
import { passthroughChannel } from "../pool/index.js";
import type { ResolvedChannelOptions } from "./channel-options.js";
import { type ChannelParts, ResilientChannel } from "./resilient-channel.js";
import { StubBackend } from "./stub-backend.js";

/**
 * A channel over one of grpc-js that resolves, picks and dials by itself: what remains is what needs no pool.
 *
 * @param watchTls begins to watch the files of `tls`; the next connection uses what is new, whenever grpc-js makes one
 * @throws ResilienceError `CONFIG_INVALID` when grpc-js makes nothing of the target
 */
export function passthrough(
  { inner, canonical }: PassthroughTarget,
  credentials: ChannelCredentials,
  options: ResolvedChannelOptions,
  parts: Omit<ChannelParts, "makeBackend"> & { readonly random: Random },
  watchTls: () => void,
): ResilientChannel {
  let channel: ChannelInterface;
  try {
    channel = passthroughChannel(inner, credentials, options);
  } catch (error) {
    parts.onReleased();
    throw error;
  }
  watchTls();
  return new ResilientChannel({
    ...parts,
    makeBackend: () => new StubBackend(channel, options, parts, canonical),
  });
}
