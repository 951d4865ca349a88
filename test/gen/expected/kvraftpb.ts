import * as kv from "../../../src/gen/kvraftpb/kvraft.js";
import { type Expected, everyNumber, expected } from "./vectors.js";

const command = (n: bigint): kv.CommandRequest => ({
  key: "",
  value: "",
  op: kv.Op.PUT,
  clientId: n,
  commandId: n,
});
const status = (n: bigint): kv.GetStatusResponse => ({
  id: n,
  state: "",
  term: n,
  lastApplied: n,
  commitIndex: n,
  storageSize: n,
});
const write = { key: "k", value: "v", clientId: 12n, commandId: 7n };

export const kvraftpb: readonly Expected[] = [
  expected("kvraftpb.CommandRequest", kv.CommandRequest, {
    // An operation left out is PUT.
    empty: command(0n),
    put: { ...write, op: kv.Op.PUT },
    append: { ...write, op: kv.Op.APPEND },
    get: { key: "k", value: "", op: kv.Op.GET, clientId: 12n, commandId: 0n },
    "text of every width": { ...command(0n), key: "\0", value: "aé中😀" },
    ...everyNumber(command),
  }),
  expected("kvraftpb.CommandResponse", kv.CommandResponse, {
    empty: { err: "", value: "" },
    "a value": { err: "OK", value: "v" },
    "no such key": { err: "ErrNoKey", value: "" },
  }),
  expected("kvraftpb.GetStatusRequest", kv.GetStatusRequest, { empty: {} }),
  expected("kvraftpb.GetStatusResponse", kv.GetStatusResponse, {
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
