/**
 * Stands in for one etcd node where etcd is not installed: the same KV service from memory, in a process of its own.
 * Nothing is replicated: each of the three processes has its own keys, and a restarted one has none. That is enough to
 * show what a client does when a server dies or freezes; it says nothing about consensus.
 *
 * Run by `own-cluster.ts` as `node --import tsx examples/etcd/own-server.ts PORT`.
 */
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { KVClient } from "./kv-stub.js";
import { OwnStore } from "./own-store.js";

const store = new OwnStore();

function unary<Request>(answer: (request: Request) => object) {
  return (call: ServerUnaryCall<Request, object>, callback: sendUnaryData<object>): void =>
    callback(null, answer(call.request));
}

const server = new Server();
server.addService(KVClient.service, {
  Range: unary(store.range.bind(store)),
  Put: unary(store.put.bind(store)),
  Txn: unary(store.txn.bind(store)),
});
server.bindAsync(`127.0.0.1:${process.argv[2]}`, ServerCredentials.createInsecure(), (error) => {
  if (error === null) return;
  console.error((error as ServiceError).message);
  process.exit(1);
});
