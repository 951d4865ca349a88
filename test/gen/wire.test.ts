import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { describe, expect, it } from "vitest";
import * as health from "../../src/gen/grpc/health/v1/health.js";
import * as kv from "../../src/gen/kvraftpb/kvraft.js";
import * as raft from "../../src/gen/raftpb/raft.js";
import * as ctrler from "../../src/gen/shardctrlerpb/shardctrler.js";
import * as shardkv from "../../src/gen/shardkvpb/shardkv.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const largestClientId = 2n ** 62n - 1n;

/** A message, its type, and the bytes protoc 3.21 (`protoc --encode`) makes of it. */
function golden<T>(title: string, type: Codec<T>, message: T, hex: string) {
  return { title, type: type as Codec<unknown>, message: message as unknown, hex };
}

interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

const goldens = [
  golden(
    "a KV command of the largest client id",
    kv.CommandRequest,
    { key: "k", value: "v", op: kv.Op.APPEND, clientId: largestClientId, commandId: 7n },
    "0a016b120176180120ffffffffffffffff3f2807",
  ),
  golden(
    "a KV command that leaves everything at zero, which is PUT",
    kv.CommandRequest,
    { key: "", value: "", op: kv.Op.PUT, clientId: 0n, commandId: 0n },
    "",
  ),
  golden("a status request, which is empty", kv.GetStatusRequest, {}, ""),
  golden(
    "a rejected append of a follower whose log is short",
    raft.AppendEntriesResponse,
    { term: 3n, success: false, conflictIndex: -2n, conflictTerm: -1n },
    "080318feffffffffffffffff0120ffffffffffffffffff01",
  ),
  golden(
    "an append with an entry of arbitrary bytes",
    raft.AppendEntriesRequest,
    {
      term: 5n,
      leaderId: 1n,
      prevLogIndex: 9n,
      prevLogTerm: 4n,
      leaderCommit: 8n,
      entries: [{ index: 10n, term: 5n, command: Buffer.from([0x00, 0xff]) }],
    },
    "080510011809200428083208080a10051a0200ff",
  ),
  golden(
    "a query of the shard controller with every kind of argument",
    ctrler.CommandRequest,
    {
      servers: new Map([[100, { servers: ["a:1", "b:2"] }]]),
      gids: [1, 2],
      shard: 0,
      gid: 0,
      num: -1,
      op: ctrler.Op.QUERY,
      clientId: 0n,
      commandId: 0n,
    },
    "0a0e0864120a0a03613a310a03623a321202010228ffffffffffffffffff013003",
  ),
  golden(
    "a dedupe table keyed by the largest client id",
    shardkv.ShardsDataResponse,
    {
      err: "OK",
      configNum: 4,
      shards: new Map([[3, { kv: new Map([["k", "v"]]) }]]),
      lastOperations: new Map([
        [largestClientId, { maxAppliedCommandId: 9n, lastResponse: { err: "OK", value: "" } }],
      ]),
    },
    "0a024f4b10041a0c080312080a060a016b120176221408ffffffffffffffff3f1208080912040a024f4b",
  ),
  golden(
    "the status of a shard group",
    shardkv.GetStatusResponse,
    {
      ...shardkv.GetStatusResponse.create(),
      address: "h:1",
      gid: 100n,
      shards: [{ shardId: 3, status: "GCing", keys: 2n, bytes: 5n }],
    },
    "3a03683a3140644a0d080312054743696e6718022005",
  ),
  golden(
    "the health of an unknown service",
    health.HealthCheckResponse,
    { status: health.HealthCheckResponse_ServingStatus.SERVICE_UNKNOWN },
    "0803",
  ),
  golden(
    "the health of every service",
    health.HealthListResponse,
    { statuses: new Map([["kv", { status: health.HealthCheckResponse_ServingStatus.NOT_SERVING }]]) },
    "0a080a026b7612020802",
  ),
];

it.each(goldens)("writes and reads $title exactly as protoc does", ({ type, message, hex }) => {
  expect(Buffer.from(type.encode(message).finish()).toString("hex")).toBe(hex);
  expect(type.decode(Buffer.from(hex, "hex"))).toEqual(message);
});

it("refuses an int64 that does not fit instead of cutting it", () => {
  const request = kv.CommandRequest.create({ clientId: 2n ** 63n });

  expect(() => kv.CommandRequest.encode(request)).toThrow(/clientId/);
});

describe("the shipped protos, loaded at run time", () => {
  const files = [
    "raftpb/raft",
    "kvraftpb/kvraft",
    "shardctrlerpb/shardctrler",
    "shardkvpb/shardkv",
    "grpc/health/v1/health",
  ];
  const loaded = loadSync(
    files.map((file) => `${file}.proto`),
    { includeDirs: [join(root, "proto")], longs: String },
  );
  const generated = [
    raft.RaftServiceClient,
    kv.KVServiceClient,
    ctrler.ShardCtrlerServiceClient,
    shardkv.ShardKVServiceClient,
    health.HealthClient,
  ].map(({ serviceName, service }) => ({ serviceName, service: service as grpc.ServiceDefinition }));

  it.each(generated)(
    "describe the same methods as the generated $serviceName",
    ({ serviceName, service }) => {
      const fromLoader = loaded[serviceName] as grpc.ServiceDefinition;

      expect(shapes(service)).toEqual(shapes(fromLoader));
    },
  );

  it("keep a client id of 2^62-1 and a conflict term of -1 whole", () => {
    const { Command } = loaded["kvraftpb.KVService"] as grpc.ServiceDefinition;
    const { AppendEntries } = loaded["raftpb.RaftService"] as grpc.ServiceDefinition;
    const command = kv.CommandRequest.create({ clientId: largestClientId });
    const reply = raft.AppendEntriesResponse.create({ conflictTerm: -1n });

    const commandBytes = Command!.requestSerialize({ clientId: String(largestClientId) });
    const replyBytes = Buffer.from(raft.AppendEntriesResponse.encode(reply).finish());

    expect(kv.CommandRequest.decode(commandBytes)).toEqual(command);
    expect(AppendEntries!.responseDeserialize(replyBytes)).toMatchObject({ conflictTerm: "-1" });
  });
});

it("is what generation makes of the protos today", async () => {
  const output = await mkdtemp(join(tmpdir(), "holdfast-gen-"));
  try {
    await promisify(execFile)(process.execPath, [join(root, "scripts/gen.mjs"), output]);

    const fresh = await sources(join(output, "src/gen"));
    expect(Object.keys(fresh)).toHaveLength(5);
    expect(await sources(join(root, "src/gen"))).toEqual(fresh);
  } finally {
    await rm(output, { recursive: true });
  }
});

/** What decides where and how the methods of a service go on the wire. */
function shapes(service: grpc.ServiceDefinition) {
  return Object.values(service)
    .map(({ path, requestStream, responseStream }) => ({ path, requestStream, responseStream }))
    .sort((a, b) => a.path.localeCompare(b.path));
}

/** Every file under a folder, by relative path. */
async function sources(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(
      files.sort().map(async (file) => [relative(folder, file), await readFile(file, "utf8")]),
    ),
  );
}
