import * as ctrler from "../../../src/gen/shardctrlerpb/shardctrler.js";
import { type Expected, everyNumber, expected } from "./vectors.js";

const MIN = -(2 ** 31);
const MAX = 2 ** 31 - 1;

const command = (n: bigint): ctrler.CommandRequest => ({
  servers: new Map(),
  gids: [],
  shard: 0,
  gid: 0,
  num: 0,
  // An operation left out is JOIN.
  op: ctrler.Op.JOIN,
  clientId: n,
  commandId: n,
});
const config = (n: bigint): ctrler.Config => ({ num: n, shards: [], groups: new Map() });
const status = (n: bigint): ctrler.GetStatusResponse => ({
  id: n,
  state: "",
  term: n,
  lastApplied: n,
  commitIndex: n,
  storageSize: n,
});
/** In the order that protoc was told to write them in: ascending. */
const groups = (): Map<number, ctrler.Servers> =>
  new Map([
    [100, { servers: ["a:1", "b:2"] }],
    [101, { servers: ["c:3"] }],
  ]);

export const shardctrlerpb: readonly Expected[] = [
  expected("shardctrlerpb.CommandRequest", ctrler.CommandRequest, {
    empty: command(0n),
    "join two groups": { ...command(0n), servers: groups(), clientId: 12n, commandId: 7n },
    leave: { ...command(0n), gids: [1, 2, 300], op: ctrler.Op.LEAVE },
    move: { ...command(0n), shard: 9, gid: 100, op: ctrler.Op.MOVE },
    "query the latest": { ...command(0n), num: -1, op: ctrler.Op.QUERY },
    "int32 extremes": {
      ...command(0n),
      servers: new Map([MIN, -1, MAX].map((gid) => [gid, { servers: [] }])),
      gids: [MIN, -1, MAX],
      shard: MIN,
      gid: MAX,
      num: -1,
    },
    ...everyNumber(command),
  }),
  expected("shardctrlerpb.CommandResponse", ctrler.CommandResponse, {
    empty: { err: "", config: undefined },
    "an empty config": { err: "OK", config: config(0n) },
    "a config": {
      err: "OK",
      config: { num: 4n, shards: [0, 100, 101], groups: new Map([[100, { servers: ["a:1"] }]]) },
    },
    "not the leader": { err: "ErrWrongLeader", config: undefined },
  }),
  expected("shardctrlerpb.Config", ctrler.Config, {
    empty: config(0n),
    "each field its own": {
      num: 4n,
      shards: [0, 100, 101, 0, 100, 101, 0, 100, 101, 0],
      groups: groups(),
    },
    ...everyNumber(config),
    "group zero": { ...config(0n), groups: new Map([[0, { servers: ["a:1"] }]]) },
  }),
  expected("shardctrlerpb.Servers", ctrler.Servers, {
    empty: { servers: [] },
    "two, one of them empty": { servers: ["a:1", ""] },
  }),
  expected("shardctrlerpb.GetStatusRequest", ctrler.GetStatusRequest, { empty: {} }),
  expected("shardctrlerpb.GetStatusResponse", ctrler.GetStatusResponse, {
    empty: status(0n),
    "each field its own": {
      id: 2n,
      state: "Leader",
      term: 3n,
      lastApplied: 400n,
      commitIndex: 401n,
      storageSize: 65_536n,
    },
    ...everyNumber(status),
  }),
].flat();
