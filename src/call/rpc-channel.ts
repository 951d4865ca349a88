import { Client, credentials, Metadata } from "@grpc/grpc-js";
import type { ChannelFactory, Clock, RpcChannel, RpcOptions } from "../core/index.js";
import type { ChannelOptions } from "./channel-options.js";
import type { ResilientChannel } from "./resilient-channel.js";

/**
 * Hardened channels for resolvers that ask over gRPC. They share nothing with the channel that resolves: no breaker, no
 * throttle of its target.
 */
export function channelFactory(
  createChannel: (target: string, options: ChannelOptions) => ResilientChannel,
  clock: Pick<Clock, "epoch">,
): ChannelFactory {
  return (target, { tls, idempotent }) => {
    const methods = Object.fromEntries(idempotent.map((name) => [name, { idempotent: true }]));
    const channel = createChannel(target, { ...(tls === undefined ? { insecure: true } : { tls }), methods });
    return rpcChannel(channel, clock);
  };
}

function rpcChannel(channel: ResilientChannel, clock: Pick<Clock, "epoch">): RpcChannel {
  const client = new Client("", credentials.createInsecure(), { channelOverride: channel });
  return {
    unary: ({ path, requestSerialize, responseDeserialize }, request, options) =>
      new Promise((resolve, reject) => {
        const deadline = clock.epoch() + options.timeoutMs;
        client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          request,
          metadataOf(options),
          { deadline },
          (error, response) => (error === null ? resolve(response as never) : reject(error)),
        );
      }),
    stream: ({ path, requestSerialize, responseDeserialize }, listener, options = {}) => {
      const call = client.makeBidiStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        metadataOf(options),
      );
      let isOver = false;
      const end = (error: Error | null): void => {
        if (isOver) return;
        isOver = true;
        listener.onEnd(error);
      };
      call.on("data", (message) => {
        if (!isOver) listener.onMessage(message);
      });
      call.on("error", end);
      call.on("end", () => end(null));
      return {
        send: (message) => call.write(message),
        cancel: () => {
          isOver = true;
          call.cancel();
        },
      };
    },
    close: () => void channel.close({ drainMs: 0 }),
  };
}

function metadataOf({ metadata = {} }: RpcOptions): Metadata {
  const sent = new Metadata();
  for (const [key, value] of Object.entries(metadata)) sent.set(key, value);
  return sent;
}
