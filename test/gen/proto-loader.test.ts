import type * as grpc from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import * as health from "../../src/gen/grpc/health/v1/health.js";
import * as kv from "../../src/gen/kvraftpb/kvraft.js";
import * as raft from "../../src/gen/raftpb/raft.js";
import * as ctrler from "../../src/gen/shardctrlerpb/shardctrler.js";
import * as shardkv from "../../src/gen/shardkvpb/shardkv.js";
import { loadProtos } from "./loaded-protos.js";

const LARGEST_CLIENT_ID = 2n ** 62n - 1n;

const withStrings = loadProtos({ longs: String });
const withNumbers = loadProtos({ longs: Number });

const generated = [
  raft.RaftServiceClient,
  kv.KVServiceClient,
  ctrler.ShardCtrlerServiceClient,
  shardkv.ShardKVServiceClient,
  health.HealthClient,
].map(({ serviceName, service }) => ({ serviceName, service: service as grpc.ServiceDefinition }));

it.each(generated)("offers the same methods as the generated $serviceName", ({ serviceName, service }) => {
  const loaded = withStrings[serviceName] as grpc.ServiceDefinition;

  expect(shapes(service)).toEqual(shapes(loaded));
});

describe("with longs: String", () => {
  it("carries a client id of 2^62-1 there and back", () => {
    const { Command } = withStrings["kvraftpb.KVService"] as grpc.ServiceDefinition;

    const bytes = Command!.requestSerialize({ clientId: String(LARGEST_CLIENT_ID) });

    expect(kv.CommandRequest.decode(bytes).clientId).toBe(LARGEST_CLIENT_ID);
    expect(Command!.requestDeserialize(bytes)).toMatchObject({ clientId: "4611686018427387903" });
  });

  it.each(["-1", "9223372036854775807", "-9223372036854775808"])(
    "carries a conflict term of %s there and back",
    (conflictTerm) => {
      const { AppendEntries } = withStrings["raftpb.RaftService"] as grpc.ServiceDefinition;

      const bytes = AppendEntries!.responseSerialize({ conflictTerm });

      expect(raft.AppendEntriesResponse.decode(bytes).conflictTerm).toBe(BigInt(conflictTerm));
      expect(AppendEntries!.responseDeserialize(bytes)).toMatchObject({ conflictTerm });
    },
  );
});

describe("with longs: Number", () => {
  it("rounds a client id of 2^62-1 up to somebody else's, both ways", () => {
    const { Command } = withNumbers["kvraftpb.KVService"] as grpc.ServiceDefinition;
    const request = kv.CommandRequest.create({ clientId: LARGEST_CLIENT_ID });

    const written = Command!.requestSerialize({ clientId: Number(LARGEST_CLIENT_ID) });
    const read = Command!.requestDeserialize(Buffer.from(kv.CommandRequest.encode(request).finish()));

    expect(kv.CommandRequest.decode(written).clientId).toBe(LARGEST_CLIENT_ID + 1n);
    expect(read).toMatchObject({ clientId: 2 ** 62 });
  });

  it("keeps a conflict term of -1, as it keeps every number below 2^53", () => {
    const { AppendEntries } = withNumbers["raftpb.RaftService"] as grpc.ServiceDefinition;

    const bytes = AppendEntries!.responseSerialize({ conflictTerm: -1 });

    expect(AppendEntries!.responseDeserialize(bytes)).toMatchObject({ conflictTerm: -1 });
  });
});

it("reads a map key of zero that the generated code leaves out", () => {
  const { GetShardsData } = withStrings["shardkvpb.ShardKVService"] as grpc.ServiceDefinition;
  const response = shardkv.ShardsDataResponse.create({ shards: new Map([[0, { kv: new Map([["", ""]]) }]]) });

  const bytes = Buffer.from(shardkv.ShardsDataResponse.encode(response).finish());

  expect(GetShardsData!.responseDeserialize(bytes)).toMatchObject({ shards: { "0": { kv: { "": "" } } } });
});

/** What decides where and how the methods of a service go on the wire. */
function shapes(service: grpc.ServiceDefinition) {
  return Object.values(service)
    .map(({ path, requestStream, responseStream }) => ({ path, requestStream, responseStream }))
    .sort((a, b) => a.path.localeCompare(b.path));
}
