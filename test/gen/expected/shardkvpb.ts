import * as shardkv from "../../../src/gen/shardkvpb/shardkv.js";
import { type Expected, everyNumber, expected } from "./vectors.js";

const MIN = -(2 ** 31);
const MAX = 2 ** 31 - 1;

const command = (n: bigint): shardkv.CommandRequest => ({
  key: "",
  value: "",
  op: shardkv.Op.PUT,
  clientId: n,
  commandId: n,
});
const operation = (n: bigint): shardkv.LastOperation => ({
  maxAppliedCommandId: n,
  lastResponse: undefined,
});
const shards = (err = ""): shardkv.ShardsDataResponse => ({
  err,
  configNum: 0,
  shards: new Map(),
  lastOperations: new Map(),
});
const shard = (n: bigint): shardkv.ShardStatus => ({ shardId: 0, status: "", keys: n, bytes: n });
const status = (n: bigint, of: shardkv.ShardStatus[]): shardkv.GetStatusResponse => ({
  id: n,
  state: "",
  term: n,
  lastApplied: n,
  commitIndex: n,
  storageSize: n,
  address: "",
  gid: n,
  shards: of,
});

// Maps are in the order that protoc was told to write them in: numbers ascending, text by its bytes.
export const shardkvpb: readonly Expected[] = [
  expected("shardkvpb.CommandRequest", shardkv.CommandRequest, {
    empty: command(0n),
    append: { key: "k", value: "v", op: shardkv.Op.APPEND, clientId: 12n, commandId: 7n },
    ...everyNumber(command),
  }),
  expected("shardkvpb.CommandResponse", shardkv.CommandResponse, {
    empty: { err: "", value: "" },
    "the wrong group": { err: "ErrWrongGroup", value: "v" },
  }),
  expected("shardkvpb.ShardsDataRequest", shardkv.ShardsDataRequest, {
    empty: { configNum: 0, shardIds: [] },
    "each field its own": { configNum: 4, shardIds: [0, 9, 300] },
    "int32 extremes": { configNum: MIN, shardIds: [MAX, -1, 0, MIN] },
  }),
  expected("shardkvpb.ShardsDataResponse", shardkv.ShardsDataResponse, {
    empty: shards(),
    "each field its own": {
      err: "OK",
      configNum: 4,
      shards: new Map([
        [3, { kv: new Map() }],
        [9, { kv: new Map([["k", "v"]]) }],
      ]),
      lastOperations: new Map([[12n, { maxAppliedCommandId: 9n, lastResponse: { err: "OK", value: "" } }]]),
    },
    "client ids of every size": {
      ...shards(),
      lastOperations: new Map(
        [-(2n ** 63n), -1n, 9n, 10n, 2n ** 62n - 1n, 2n ** 63n - 1n].map((id) => [id, operation(0n)]),
      ),
    },
    "shard zero of client zero": {
      ...shards(),
      shards: new Map([[0, { kv: new Map() }]]),
      lastOperations: new Map([[0n, operation(0n)]]),
    },
  }),
  expected("shardkvpb.ShardContent", shardkv.ShardContent, {
    empty: { kv: new Map() },
    "keys of every width": { kv: new Map(Object.entries({ a: "1", é: "2", 中: "3", "😀": "4" })) },
    "an empty key, an empty value": { kv: new Map(Object.entries({ "": "v", k: "" })) },
  }),
  expected("shardkvpb.LastOperation", shardkv.LastOperation, {
    empty: operation(0n),
    "an empty answer": { maxAppliedCommandId: 9n, lastResponse: { err: "", value: "" } },
    "an answer": { maxAppliedCommandId: 9n, lastResponse: { err: "OK", value: "v" } },
    ...everyNumber(operation),
  }),
  expected("shardkvpb.GetStatusRequest", shardkv.GetStatusRequest, { empty: {} }),
  expected("shardkvpb.GetStatusResponse", shardkv.GetStatusResponse, {
    empty: status(0n, []),
    "each field its own": {
      id: 2n,
      state: "Leader",
      term: 3n,
      lastApplied: 400n,
      commitIndex: 401n,
      storageSize: 65_536n,
      address: "h:1",
      gid: 100n,
      shards: [{ shardId: 3, status: "GCing", keys: 2n, bytes: 5n }, shard(0n)],
    },
    ...everyNumber((n) => status(n, [shard(n)])),
  }),
  expected("shardkvpb.ShardStatus", shardkv.ShardStatus, {
    empty: shard(0n),
    "each field its own": { shardId: 9, status: "Serving", keys: 2n, bytes: 5n },
    ...everyNumber(shard),
    "shard -1": { ...shard(0n), shardId: -1 },
  }),
].flat();
