import {
  type ClientOptions,
  type ClientUnaryCall,
  credentials,
  type Client as GrpcClient,
  makeClientConstructor,
} from "@grpc/grpc-js";

export const HELD_SERVICE_NAME = "holdfast.bench.Held";
/** Exactly what one call may keep for a retry by default, in ours and in grpc-js. */
export const MESSAGE_BYTES = 1_048_576;

/**
 * Its request is a number and becomes bytes when it is serialised, as with any codec: so the bytes counted are those that
 * the layers below hold, and none of them is the caller's own object.
 */
const heldService = {
  put: {
    path: `/${HELD_SERVICE_NAME}/Put`,
    requestStream: false,
    responseStream: false,
    requestSerialize: (fill: number) => Buffer.alloc(MESSAGE_BYTES, fill),
    requestDeserialize: () => 0,
    responseSerialize: () => Buffer.alloc(0),
    responseDeserialize: () => 0,
  },
} as const;

export interface HeldStub extends GrpcClient {
  put(fill: number, callback: (error: Error | null) => void): ClientUnaryCall;
}

const HeldClient = makeClientConstructor(heldService, HELD_SERVICE_NAME);

export function heldStub(address: string, options: ClientOptions = {}): HeldStub {
  return new HeldClient(address, credentials.createInsecure(), options) as unknown as HeldStub;
}
