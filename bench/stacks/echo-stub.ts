import {
  type CallOptions,
  type Client,
  type ClientDuplexStream,
  type ClientOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  credentials,
  makeClientConstructor,
} from "@grpc/grpc-js";

/** The service that all stacks call; `transport/echo-server.mjs` answers it. */
export const ECHO_SERVICE_NAME = "holdfast.bench.Echo";

const identity = (bytes: Buffer): Buffer => bytes;

/** As generators write it; bytes go through as they are, because codecs cost every stack the same. */
export const echoService = {
  unary: method("Unary", false, false),
  serverStreaming: method("ServerStreaming", false, true),
  clientStreaming: method("ClientStreaming", true, false),
  bidi: method("Bidi", true, true),
} as const;

function method<Q extends boolean, S extends boolean>(name: string, requestStream: Q, responseStream: S) {
  return {
    path: `/${ECHO_SERVICE_NAME}/${name}`,
    requestStream,
    responseStream,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  };
}

type Callback = (error: Error | null, reply?: Buffer) => void;

/** The stub as a generator would type it. */
export interface EchoStub extends Client {
  unary(request: Buffer, callback: Callback): ClientUnaryCall;
  unary(request: Buffer, options: CallOptions, callback: Callback): ClientUnaryCall;
  serverStreaming(request: Buffer): ClientReadableStream<Buffer>;
  clientStreaming(callback: Callback): ClientWritableStream<Buffer>;
  bidi(): ClientDuplexStream<Buffer, Buffer>;
}

const EchoClient = makeClientConstructor(echoService, ECHO_SERVICE_NAME);

/** A stub by the same constructor that proto-loader and grpc-tools use. */
export function echoStub(address: string, options: ClientOptions = {}): EchoStub {
  return new EchoClient(address, credentials.createInsecure(), options) as unknown as EchoStub;
}
