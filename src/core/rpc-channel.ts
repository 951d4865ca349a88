import type { MethodDefinition } from "@grpc/grpc-js";
import type { TlsOptions } from "./tls-options.js";

/** Who hears of a stream. */
export interface RpcStreamListener<Response> {
  onMessage(message: Response): void;
  /** The stream is over, once. Null where the server ended it with OK; an error has gRPC's `code`. */
  onEnd(error: Error | null): void;
}

/** A stream in both directions. */
export interface RpcStream<Request> {
  send(message: Request): void;
  /** Ends it without another word: `onEnd` is not called afterwards. May be called again. */
  cancel(): void;
}

export interface RpcOptions {
  /** Sent with the call; keys in lower case. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Calls to the servers of one target, for those who stand below the tier that makes channels. */
export interface RpcChannel {
  /**
   * One call. Rejects with an error that has gRPC's `code`.
   * @param options.timeoutMs all attempts and waits included
   */
  unary<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    options: RpcOptions & { readonly timeoutMs: number },
  ): Promise<Response>;
  /** A stream without a deadline. Nothing is heard before this returns. */
  stream<Request, Response>(
    method: MethodDefinition<Request, Response>,
    listener: RpcStreamListener<Response>,
    options?: RpcOptions,
  ): RpcStream<Request>;
  /** Ends what is running, and every connection. May be called again. */
  close(): void;
}

export interface RpcChannelOptions {
  /** Plaintext where it is absent. */
  readonly tls?: TlsOptions | undefined;
  /** Full names, `package.Service/Method`, of methods that may be run twice. */
  readonly idempotent: readonly string[];
}

/**
 * Makes a channel of its own for somebody below: a resolver that asks over gRPC. Does no I/O before the first call.
 * @param target `static:///a:1,b:2` or any other that needs no such channel itself
 */
export type ChannelFactory = (target: string, options: RpcChannelOptions) => RpcChannel;
