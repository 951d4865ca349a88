import { fileURLToPath } from "node:url";
import {
  type CallOptions,
  type ChannelCredentials,
  type Client,
  type ClientOptions,
  type ClientUnaryCall,
  loadPackageDefinition,
  type ServiceDefinition,
  type ServiceError,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

export interface HelloRequest {
  name: string;
}

export interface HelloReply {
  text: string;
  server: string;
}

type Callback = (error: ServiceError | null, reply?: HelloReply) => void;

/** What proto-loader's generated client looks like to TypeScript: an ordinary grpc-js stub. */
export interface GreeterClient extends Client {
  Hello(request: HelloRequest, callback: Callback): ClientUnaryCall;
  Hello(request: HelloRequest, options: CallOptions, callback: Callback): ClientUnaryCall;
}

interface GreeterConstructor {
  new (address: string, credentials: ChannelCredentials, options?: ClientOptions): GreeterClient;
  readonly service: ServiceDefinition;
  readonly serviceName: string;
}

const PROTO = fileURLToPath(new URL("greeter.proto", import.meta.url));
const loaded = loadPackageDefinition(loadSync(PROTO)) as unknown as {
  greeter: { Greeter: GreeterConstructor };
};

export const GreeterClient = loaded.greeter.Greeter;
