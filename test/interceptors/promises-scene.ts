import * as grpc from "@grpc/grpc-js";
import { createChannel, type PromiseClient, promises, stubFor } from "holdfast";
import { afterEach, beforeEach } from "vitest";
import { QUICK } from "../support/contract-doors.js";
import { turns } from "../support/event-loop.js";
import { type LeakBaseline, leakBaseline } from "../support/leak-check.js";

const identity = (bytes: Buffer): Buffer => bytes;

/** Bytes in, bytes out, so that a test decides about sizes and codecs. */
export const bytesService = {
  one: method("One", false, false),
  list: method("List", false, true),
  upload: method("Upload", true, false),
  talk: method("Talk", true, true),
} as const;

function method<Q extends boolean, S extends boolean>(name: string, requestStream: Q, responseStream: S) {
  return {
    path: `/holdfast.test.Bytes/${name}`,
    requestStream,
    responseStream,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  };
}

type Callback = (error: grpc.ServiceError | null, reply?: Buffer) => void;

/** The stub as a generator would type it. */
export interface BytesStub extends grpc.Client {
  one(request: Buffer, callback: Callback): grpc.ClientUnaryCall;
  list(request: Buffer): grpc.ClientReadableStream<Buffer>;
  upload(callback: Callback): grpc.ClientWritableStream<Buffer>;
  talk(): grpc.ClientDuplexStream<Buffer, Buffer>;
}

/** What the server does; a method that a test does not call is not implemented. */
export interface BytesHandlers {
  one?: grpc.handleUnaryCall<Buffer, Buffer>;
  list?: grpc.handleServerStreamingCall<Buffer, Buffer>;
  upload?: grpc.handleClientStreamingCall<Buffer, Buffer>;
  talk?: grpc.handleBidiStreamingCall<Buffer, Buffer>;
}

/** Between a stub and its channel: nothing, or an interceptor that changes nothing. */
export const WAYS = ["straight to the channel", "through an interceptor"] as const;
export type Way = (typeof WAYS)[number];

export const passThrough: grpc.Interceptor = (options, nextCall) =>
  new grpc.InterceptingCall(nextCall(options));

export interface SceneOptions {
  readonly way?: Way;
  /** Replaces parts of the definitions that the stub is made of; the server keeps its own. */
  readonly codecs?: Partial<Pick<typeof bytesService.one, "requestSerialize" | "responseDeserialize">>;
  /** Definitions of the server's that differ from the stub's. */
  readonly served?: object;
  /** Where the client goes instead of the server itself. */
  readonly address?: string;
}

/** A server with a stub of a channel to it. */
export interface Scene {
  readonly stub: BytesStub;
  readonly client: PromiseClient<BytesStub>;
  readonly port: number;
}

/** Opens scenes; each is closed after its test, and nothing may be left of it then. */
export function scenes(): (handlers: BytesHandlers, options?: SceneOptions) => Promise<Scene> {
  const closings: (() => Promise<void>)[] = [];
  let baseline: LeakBaseline;
  beforeEach(async () => {
    baseline = await leakBaseline({ process });
  });
  afterEach(async () => {
    for (const close of closings.splice(0)) await close();
    await baseline.expectClean();
  });
  return async (handlers, options = {}) => {
    const { port, stop } = await serve(handlers, options.served ?? bytesService);
    const channel = createChannel(`static:///${options.address ?? `127.0.0.1:${port}`}`, {
      ...QUICK,
      insecure: true,
    });
    const interceptors = options.way === "through an interceptor" ? [passThrough] : [];
    const stub = stubFor(stubClass(options.codecs), channel, { interceptors });
    closings.push(async () => {
      await channel.close({ drainMs: 0 });
      await stop();
    });
    return { stub, client: promises(stub as BytesStub), port };
  };
}

/** The class of the stubs; with codecs of its own on request. */
export function stubClass(
  codecs: object = {},
): new (
  ...args: ConstructorParameters<typeof grpc.Client>
) => BytesStub {
  const service = Object.fromEntries(
    Object.entries(bytesService).map(([name, definition]) => [name, { ...definition, ...codecs }]),
  );
  return grpc.makeGenericClientConstructor(service as grpc.ServiceDefinition, "Bytes") as never;
}

async function serve(
  handlers: BytesHandlers,
  service: object,
): Promise<{ port: number; stop(): Promise<void> }> {
  const server = new grpc.Server();
  server.addService(service as grpc.ServiceDefinition, { ...handlers });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.tryShutdown(() => resolve());
      server.forceShutdown();
    });
  return { port, stop };
}

/** What a promise is rejected with. */
export async function rejection(
  promise: Promise<unknown>,
): Promise<grpc.ServiceError & Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    return error as grpc.ServiceError & Record<string, unknown>;
  }
  throw new Error("the promise was to be rejected");
}

/** All answers of a stream, and the failure at its end. */
export async function readToEnd<T>(
  stream: AsyncIterable<T>,
): Promise<{ items: T[]; error: (grpc.ServiceError & Record<string, unknown>) | null }> {
  const items: T[] = [];
  try {
    for await (const item of stream) items.push(item);
  } catch (error) {
    return { items, error: error as grpc.ServiceError & Record<string, unknown> };
  }
  return { items, error: null };
}

/** A promise with its handles, for tests that wait for an event. */
export function signalled<T = void>(): { promise: Promise<T>; resolve(value: T): void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** The value that a number keeps over many turns of the event loop. */
export async function standstill(read: () => number): Promise<number> {
  let last = -1;
  for (let same = 0; same < 50; same++) {
    if (read() !== last) same = 0;
    last = read();
    await turns(10);
  }
  return last;
}
