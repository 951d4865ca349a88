// Nothing here runs: `npm run typecheck` reads it. Each @ts-expect-error fails the build when the line below is accepted.

import * as grpc from "@grpc/grpc-js";
import {
  type BidiStream,
  type CallStatus,
  type harden,
  type PromiseCallOptions,
  type PromiseClient,
  promises,
  type Requests,
  type ServerStream,
} from "holdfast";
import type { Answer, Ask, ContractClient } from "../fixtures/stubs/generated/ts-proto/contract.js";
import type * as grpcTools from "../fixtures/stubs/grpc-tools.js";
import type { ContractClient as HandWrittenClient } from "../fixtures/stubs/hand-written.js";
import { same, use } from "./expect.js";

interface ContractPromises<Q, S> {
  readonly unary: (request: Q, options?: PromiseCallOptions) => Promise<S>;
  readonly read: (request: Q, options?: PromiseCallOptions) => Promise<S>;
  readonly serverStream: (request: Q, options?: PromiseCallOptions) => ServerStream<S>;
  readonly clientStream: (requests: Requests<Q>, options?: PromiseCallOptions) => Promise<S>;
}

/** What the methods take and give comes from the stub, whoever generated it. */
export function infersEveryGenerator(
  tsProto: ContractClient,
  hardened: ReturnType<typeof harden<ContractClient>>,
  tools: grpcTools.Client,
  handWritten: HandWrittenClient,
): void {
  const client = promises(tsProto);
  same<typeof client, PromiseClient<ContractClient>>();
  same<Omit<typeof client, "bidi">, ContractPromises<Ask, Answer>>();
  same<Omit<PromiseClient<typeof hardened>, "bidi">, ContractPromises<Ask, Answer>>();
  same<Omit<PromiseClient<typeof tools>, "bidi">, ContractPromises<grpcTools.Ask, grpcTools.Answer>>();
  const byHand: ContractPromises<Ask, Answer> = promises(handWritten);
  use(byHand);
}

/** The declarations that proto-loader's generator writes: names in both spellings, callbacks with an optional value. */
interface LoaderClient extends grpc.Client {
  GetUser(
    argument: Ask,
    metadata: grpc.Metadata,
    options: grpc.CallOptions,
    callback: grpc.requestCallback<Answer>,
  ): grpc.ClientUnaryCall;
  GetUser(
    argument: Ask,
    metadata: grpc.Metadata,
    callback: grpc.requestCallback<Answer>,
  ): grpc.ClientUnaryCall;
  GetUser(
    argument: Ask,
    options: grpc.CallOptions,
    callback: grpc.requestCallback<Answer>,
  ): grpc.ClientUnaryCall;
  GetUser(argument: Ask, callback: grpc.requestCallback<Answer>): grpc.ClientUnaryCall;
  list(argument: Ask, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<Answer>;
  list(argument: Ask, options?: grpc.CallOptions): grpc.ClientReadableStream<Answer>;
  upload(
    metadata: grpc.Metadata,
    options: grpc.CallOptions,
    callback: grpc.requestCallback<Answer>,
  ): grpc.ClientWritableStream<Ask>;
  upload(metadata: grpc.Metadata, callback: grpc.requestCallback<Answer>): grpc.ClientWritableStream<Ask>;
  upload(options: grpc.CallOptions, callback: grpc.requestCallback<Answer>): grpc.ClientWritableStream<Ask>;
  upload(callback: grpc.requestCallback<Answer>): grpc.ClientWritableStream<Ask>;
  talk(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<Ask, Answer>;
  talk(options?: grpc.CallOptions): grpc.ClientDuplexStream<Ask, Answer>;
}

export function infersProtoLoader(loaded: LoaderClient): void {
  const client = promises(loaded);
  same<keyof typeof client, "GetUser" | "list" | "upload" | "talk">();
  same<ReturnType<typeof client.GetUser>, Promise<Answer>>();
  same<Parameters<typeof client.GetUser>[0], Ask>();
  same<ReturnType<typeof client.list>, ServerStream<Answer>>();
  same<ReturnType<typeof client.upload>, Promise<Answer>>();
  same<Parameters<typeof client.upload>[0], Requests<Ask>>();
}

/** A stub of `loadPackageDefinition` has no types, and still may be used. */
export async function takesUntypedStubs(untyped: InstanceType<grpc.ServiceClientConstructor>): Promise<void> {
  const client = promises(untyped);
  use(await client["getUser"]?.({ id: 1 }, { timeoutMs: 500 }));
}

export async function typesTheCalls(stub: ContractClient, ask: Ask): Promise<void> {
  const client = promises(stub);
  const answer = await client.unary(ask, { timeoutMs: 500, idempotent: true, metadata: { tenant: "a" } });
  same<typeof answer, Answer>();
  for await (const item of client.serverStream(ask)) same<typeof item, Answer>();
  same<Awaited<ReturnType<typeof client.clientStream>>, Answer>();
  await client.clientStream([ask]);
  await client.clientStream(
    (async function* () {
      yield ask;
    })(),
  );
  // @ts-expect-error: text is a string
  await client.unary({ text: 5, repeat: 0 });
  // @ts-expect-error: the stub has no such method
  await client.unry(ask);
  // @ts-expect-error: no such option
  await client.unary(ask, { timoutMs: 500 });
  // @ts-expect-error: not requests of this method
  await client.clientStream([{ txet: "" }]);
  // @ts-expect-error: the answer comes as a promise
  await client.unary(ask, () => {});
  // @ts-expect-error: what Client itself has is no RPC
  use(client.close);
  // @ts-expect-error: a server stream is not written to
  client.serverStream(ask).write(ask);
}

export async function typesBothStreams(stub: ContractClient, ask: Ask): Promise<void> {
  const client = promises(stub);
  const stream = client.bidi({ timeoutMs: 500 });
  same<typeof stream, BidiStream<Ask, Answer>>();
  const written: Promise<void> = stream.write(ask);
  stream.end();
  stream.cancel(new Error("enough"));
  for await (const item of stream) same<typeof item, Answer>();
  for await (const item of client.bidi([ask], { timeoutMs: 500 })) same<typeof item, Answer>();
  use(written);
  // @ts-expect-error: not a message of this method
  await stream.write({ txet: "" });
  // @ts-expect-error: the iterable writes
  client.bidi([ask]).write(ask);
}

export function typesTheHooks(stub: ContractClient, ask: Ask, signal: AbortSignal | undefined): void {
  const options: PromiseCallOptions = {
    signal,
    metadata: { plain: "a", many: ["a", "b"], "bytes-bin": Buffer.of(1) },
    onHeaders: (headers) => same<typeof headers, grpc.Metadata>(),
    onStatus: (status) => same<typeof status, CallStatus>(),
  };
  use(promises(stub).unary(ask, options), promises(stub).unary(ask, { metadata: new grpc.Metadata() }));
  // @ts-expect-error: metadata holds texts and bytes
  use(promises(stub).unary(ask, { metadata: { count: 5 } }));
}

// @ts-expect-error: no stub
promises({});
