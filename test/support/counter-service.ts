import * as grpc from "@grpc/grpc-js";

/** The four methods of the test service, one per kind of RPC. */
export type CounterMethod = "Unary" | "ServerStream" | "ClientStream" | "Bidi";

const identity = (bytes: Buffer): Buffer => bytes;

function method(name: CounterMethod, requestStream: boolean, responseStream: boolean) {
  return {
    path: `/holdfast.test.Counter/${name}`,
    originalName: name[0]!.toLowerCase() + name.slice(1),
    requestStream,
    responseStream,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  };
}

/** The test service, written by hand: messages are plain bytes, so no proto is needed. */
export const counterService = {
  Unary: method("Unary", false, false),
  ServerStream: method("ServerStream", false, true),
  ClientStream: method("ClientStream", true, false),
  Bidi: method("Bidi", true, true),
} satisfies grpc.ServiceDefinition;

type UnaryCallback = grpc.requestCallback<Buffer>;

/** The stub of the test service, with the overloads that code generators give it. */
export interface CounterClient extends grpc.Client {
  unary(request: Buffer, callback: UnaryCallback): grpc.ClientUnaryCall;
  unary(request: Buffer, metadata: grpc.Metadata, callback: UnaryCallback): grpc.ClientUnaryCall;
  unary(request: Buffer, options: grpc.CallOptions, callback: UnaryCallback): grpc.ClientUnaryCall;
  unary(
    request: Buffer,
    metadata: grpc.Metadata,
    options: grpc.CallOptions,
    callback: UnaryCallback,
  ): grpc.ClientUnaryCall;
  serverStream(request: Buffer, options?: grpc.CallOptions): grpc.ClientReadableStream<Buffer>;
  serverStream(
    request: Buffer,
    metadata: grpc.Metadata,
    options?: grpc.CallOptions,
  ): grpc.ClientReadableStream<Buffer>;
  clientStream(callback: UnaryCallback): grpc.ClientWritableStream<Buffer>;
  clientStream(metadata: grpc.Metadata, callback: UnaryCallback): grpc.ClientWritableStream<Buffer>;
  clientStream(options: grpc.CallOptions, callback: UnaryCallback): grpc.ClientWritableStream<Buffer>;
  clientStream(
    metadata: grpc.Metadata,
    options: grpc.CallOptions,
    callback: UnaryCallback,
  ): grpc.ClientWritableStream<Buffer>;
  bidi(options?: grpc.CallOptions): grpc.ClientDuplexStream<Buffer, Buffer>;
  bidi(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<Buffer, Buffer>;
}

interface CounterClientConstructor {
  new (address: string, credentials: grpc.ChannelCredentials, options?: grpc.ClientOptions): CounterClient;
  readonly service: typeof counterService;
  readonly serviceName: string;
}

export const CounterClient = grpc.makeGenericClientConstructor(
  counterService,
  "Counter",
) as unknown as CounterClientConstructor;

/** A client with a socket of its own: grpc-js would let clients with equal options share one. */
export function counterClient(address: string, options: grpc.ClientOptions = {}): CounterClient {
  const own = { "grpc.use_local_subchannel_pool": 1, ...options };
  return new CounterClient(address, grpc.credentials.createInsecure(), own);
}

/** How a unary call ended. */
export type CallResult =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly error: grpc.ServiceError };

export interface UnaryOptions extends grpc.CallOptions {
  readonly metadata?: grpc.Metadata;
  /** Relative deadline; `deadline` wins when both are given. */
  readonly timeoutMs?: number;
}

/** Makes a unary call and never rejects. Without a timeout of its own it has 10 s, so that no test hangs on it. */
export function unary(client: CounterClient, text: string, options: UnaryOptions = {}): Promise<CallResult> {
  const { metadata = new grpc.Metadata(), timeoutMs = 10_000, ...callOptions } = options;
  const limited = { deadline: Date.now() + timeoutMs, ...callOptions };
  return new Promise((resolve) => {
    client.unary(Buffer.from(text), metadata, limited, (error, answer) => {
      resolve(error === null ? { ok: true, text: String(answer) } : { ok: false, error });
    });
  });
}

/** How a stream of answers ended: what came, and the final status. */
export interface StreamResult {
  readonly texts: readonly string[];
  readonly status: grpc.StatusObject;
}

/** Reads a stream to its end and never rejects. */
export function collect(
  stream: grpc.ClientReadableStream<Buffer> | grpc.ClientDuplexStream<Buffer, Buffer>,
): Promise<StreamResult> {
  const texts: string[] = [];
  stream.on("data", (message: Buffer) => texts.push(String(message)));
  // The status says the same; without a listener the error would end the test process.
  stream.on("error", () => {});
  return new Promise((resolve) => stream.on("status", (status) => resolve({ texts, status })));
}
