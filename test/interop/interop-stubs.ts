import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type {
  BidiMethod,
  ClientStreamMethod,
  ServerStreamMethod,
  UnaryMethod,
} from "../fixtures/stubs/stub-types.js";

/** What a request carries and what a response brings: so many bytes. */
export interface Payload {
  readonly type?: number;
  readonly body: Buffer;
}

interface EchoStatus {
  readonly code: number;
  readonly message: string;
}

interface SimpleRequest {
  readonly responseSize?: number;
  readonly payload?: Payload;
  readonly responseStatus?: EchoStatus;
}

interface OutputRequest {
  readonly responseParameters?: readonly { readonly size: number; readonly intervalUs?: number }[];
  readonly payload?: Payload;
  readonly responseStatus?: EchoStatus;
}

export interface WithPayload {
  readonly payload: Payload | null;
}

interface AggregatedSize {
  readonly aggregatedPayloadSize: number;
}

type Empty = Record<never, never>;

/** A stub of grpc.testing.TestService. */
export interface TestStub extends grpc.Client {
  readonly emptyCall: UnaryMethod<Empty, Empty>;
  readonly unaryCall: UnaryMethod<SimpleRequest, WithPayload>;
  readonly streamingOutputCall: ServerStreamMethod<OutputRequest, WithPayload>;
  readonly streamingInputCall: ClientStreamMethod<WithPayload, AggregatedSize>;
  readonly fullDuplexCall: BidiMethod<OutputRequest, WithPayload>;
  readonly unimplementedCall: UnaryMethod<Empty, Empty>;
}

/** A stub of grpc.testing.UnimplementedService. */
export interface UnimplementedStub extends grpc.Client {
  readonly unimplementedCall: UnaryMethod<Empty, Empty>;
}

/** What a case calls. */
export interface InteropStubs {
  readonly test: TestStub;
  readonly unimplemented: UnimplementedStub;
}

/** The class of a stub and, as grpc-js makes it at run time, the definition of its service. */
interface StubClass<S> {
  new (address: string, credentials: grpc.ChannelCredentials, options?: grpc.ClientOptions): S;
  readonly service: grpc.ServiceDefinition;
}

interface Loaded {
  grpc: {
    testing: {
      TestService: StubClass<TestStub>;
      UnimplementedService: StubClass<UnimplementedStub>;
    };
  };
}

const file = fileURLToPath(new URL("../fixtures/interop/test.proto", import.meta.url));
const loaded = grpc.loadPackageDefinition(loadSync(file, { defaults: true })) as unknown as Loaded;

export const { TestService, UnimplementedService } = loaded.grpc.testing;
