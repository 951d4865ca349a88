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

/** 64-bit numbers are text, because etcd's ids and revisions may pass 2^53. */
export interface KeyValue {
  key: Buffer;
  value: Buffer;
  version: string;
  create_revision: string;
  mod_revision: string;
}

export interface RangeRequest {
  key: Buffer;
  range_end?: Buffer;
  serializable?: boolean;
}

export interface RangeResponse {
  kvs: KeyValue[];
  count: string;
}

export interface PutRequest {
  key: Buffer;
  value: Buffer;
}

export interface RequestOp {
  request_range?: RangeRequest;
  request_put?: PutRequest;
}

export interface TxnRequest {
  compare?: { key: Buffer; result: string; target: string; version?: string }[];
  success?: RequestOp[];
  failure?: RequestOp[];
}

export interface TxnResponse {
  succeeded: boolean;
}

type Unary<Request, Response> = (
  request: Request,
  options: CallOptions,
  callback: (error: ServiceError | null, response?: Response) => void,
) => ClientUnaryCall;

/** What proto-loader's generated client looks like to TypeScript: an ordinary grpc-js stub. */
export interface KVClient extends Client {
  Range: Unary<RangeRequest, RangeResponse>;
  Put: Unary<PutRequest, unknown>;
  Txn: Unary<TxnRequest, TxnResponse>;
}

interface KVClientConstructor {
  new (address: string, credentials: ChannelCredentials, options?: ClientOptions): KVClient;
  service: ServiceDefinition;
}

const PROTO = fileURLToPath(new URL("etcd.proto", import.meta.url));
const definition = loadSync(PROTO, { keepCase: true, longs: String, enums: String, defaults: true });
const loaded = loadPackageDefinition(definition) as unknown as { etcdserverpb: { KV: KVClientConstructor } };

export const KVClient = loaded.etcdserverpb.KV;
