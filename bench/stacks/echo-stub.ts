import { type Client, type ClientOptions, credentials, makeClientConstructor } from "@grpc/grpc-js";

/** The method that all stacks call; `transport/echo-server.mjs` answers it. */
export const ECHO_SERVICE_NAME = "holdfast.bench.Echo";

const identity = (bytes: Buffer): Buffer => bytes;

/** As generators write it; bytes go through as they are, because codecs cost every stack the same. */
export const echoService = {
  unary: {
    path: `/${ECHO_SERVICE_NAME}/Unary`,
    requestStream: false,
    responseStream: false,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  },
} as const;

/** The stub as a generator would type it. */
export interface EchoStub extends Client {
  unary(request: Buffer, callback: (error: Error | null, reply?: Buffer) => void): void;
}

const EchoClient = makeClientConstructor(echoService, ECHO_SERVICE_NAME);

/** A stub by the same constructor that proto-loader and grpc-tools use. */
export function echoStub(address: string, options: ClientOptions = {}): EchoStub {
  return new EchoClient(address, credentials.createInsecure(), options) as unknown as EchoStub;
}
