import { Client, credentials, Metadata, type MethodDefinition } from "@grpc/grpc-js";
import type {
  ChannelFactory,
  Clock,
  RpcChannel,
  RpcOptions,
  RpcStream,
  RpcStreamListener,
} from "../core/index.js";
import type { ChannelOptions } from "./channel-options.js";
import type { ResilientChannel } from "./resilient-channel.js";
import { warnOnce } from "./warn-once.js";

/**
 * Hardened channels for resolvers that ask over gRPC. They share nothing with the channel that resolves: no breaker, no
 * throttle of its target. They have no breaker of their own either, as whoever asks here keeps a pace after failures, and
 * one that is open for a minute would keep a registry out of reach that is back.
 */
export function channelFactory(
  createChannel: (target: string, options: ChannelOptions) => ResilientChannel,
  clock: Pick<Clock, "epoch">,
): ChannelFactory {
  return (target, { tls, idempotent }) => {
    const security = tls === undefined ? { insecure: true } : { tls };
    const methods = Object.fromEntries(idempotent.map((name) => [name, { idempotent: true }]));
    return new ClientRpcChannel(createChannel(target, { ...security, methods, breaker: false }), clock);
  };
}

class ClientRpcChannel implements RpcChannel {
  readonly #client: Client;

  constructor(
    private readonly channel: ResilientChannel,
    private readonly clock: Pick<Clock, "epoch">,
  ) {
    this.#client = new Client("", credentials.createInsecure(), { channelOverride: channel });
  }

  unary<Request, Response>(
    { path, requestSerialize, responseDeserialize }: MethodDefinition<Request, Response>,
    request: Request,
    options: RpcOptions & { readonly timeoutMs: number },
  ): Promise<Response> {
    const deadline = this.clock.epoch() + options.timeoutMs;
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadataOf(options),
        { deadline },
        (error, response) => (error === null ? resolve(response as Response) : reject(error)),
      );
    });
  }

  stream<Request, Response>(
    { path, requestSerialize, responseDeserialize }: MethodDefinition<Request, Response>,
    listener: RpcStreamListener<Response>,
    options: RpcOptions = {},
  ): RpcStream<Request> {
    const call = this.#client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      metadataOf(options),
    );
    const hearing = new Hearing(listener);
    call.on("data", (message: Response) => hearing.message(message, () => call.cancel()));
    // Stays for good: an 'error' that nobody hears would end the process, also one that comes after the end.
    call.on("error", (error) => hearing.end(error));
    call.on("end", () => hearing.end(null));
    return {
      send: (message) => {
        if (!hearing.isOver) call.write(message);
      },
      cancel: () => {
        hearing.isOver = true;
        call.cancel();
      },
    };
  }

  close(): void {
    this.channel.destroy();
  }
}

/** Keeps what `RpcStreamListener` is promised: one end, nothing after it. What a listener throws ends its stream, and nothing else. */
class Hearing<Response> {
  isOver = false;

  constructor(private readonly listener: RpcStreamListener<Response>) {}

  message(message: Response, cancel: () => void): void {
    if (this.isOver) return;
    try {
      this.listener.onMessage(message);
    } catch (error) {
      this.end(error instanceof Error ? error : new Error(String(error)));
      cancel();
    }
  }

  end(error: Error | null): void {
    if (this.isOver) return;
    this.isOver = true;
    try {
      this.listener.onEnd(error);
    } catch (thrown) {
      warnOnce("HOLDFAST_LISTENER", `the listener of a stream threw at its end: ${String(thrown)}`);
    }
  }
}

function metadataOf({ metadata = {} }: RpcOptions): Metadata {
  const sent = new Metadata();
  for (const [key, value] of Object.entries(metadata)) sent.set(key, value);
  return sent;
}
