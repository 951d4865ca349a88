import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import * as kv from "../../src/gen/kvraftpb/kvraft.js";
import * as raft from "../../src/gen/raftpb/raft.js";
import * as ctrler from "../../src/gen/shardctrlerpb/shardctrler.js";
import * as shardkv from "../../src/gen/shardkvpb/shardkv.js";
import { healthV1 } from "./expected/health.js";
import { kvraftpb } from "./expected/kvraftpb.js";
import { longAppend, raftpb } from "./expected/raftpb.js";
import { shardctrlerpb } from "./expected/shardctrlerpb.js";
import { shardkvpb } from "./expected/shardkvpb.js";
import type { Codec } from "./expected/vectors.js";
import { goldenVectors } from "./golden-vectors.js";
import { loadProtos } from "./loaded-protos.js";

const LONG_APPEND = "raftpb.AppendEntriesRequest | 10,000 entries";
const NEWER_FIELDS = "newer.Fields | one of every kind";
/** Entries of a map with a key or value of zero: see "leaves out" below. */
const ZERO_IN_MAP = [
  "shardctrlerpb.Config | group zero",
  "shardkvpb.ShardsDataResponse | shard zero of client zero",
  "shardkvpb.ShardContent | an empty key, an empty value",
];

const golden = goldenVectors();
const vectors = [...raftpb, ...kvraftpb, ...shardctrlerpb, ...shardkvpb, ...healthV1].map((vector) => ({
  ...vector,
  name: `${vector.message} | ${vector.title}`,
}));

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytesOf = (name: string): Buffer => Buffer.from(golden.get(name)!, "hex");
const encode = <T>(type: Codec<T>, value: T): string => hex(type.encode(value).finish());

describe("the vectors", () => {
  it("are all tested, and all there", () => {
    expect([...vectors.map(({ name }) => name), LONG_APPEND, NEWER_FIELDS].sort()).toEqual(
      [...golden.keys()].sort(),
    );
  });

  it("cover every message of every proto", () => {
    const messages = Object.entries(loadProtos({}))
      .filter(([, { format }]) => format === "Protocol Buffer 3 DescriptorProto")
      .map(([name]) => name)
      .sort();

    expect(messages).toHaveLength(30);
    expect([...new Set(vectors.map(({ message }) => message))].sort()).toEqual(messages);
  });
});

describe("the generated code", () => {
  it.each(vectors)("reads what protoc writes: $message, $title", ({ name, type, value }) => {
    expect(type.decode(bytesOf(name))).toStrictEqual(value);
  });

  it.each(vectors.filter(({ name }) => !ZERO_IN_MAP.includes(name)))(
    "writes what protoc writes: $message, $title",
    ({ name, type, value }) => {
      expect(encode(type, value)).toBe(golden.get(name));
    },
  );

  it("reads and writes an append of 10,000 entries as protoc does", () => {
    const bytes = raft.AppendEntriesRequest.encode(longAppend).finish();
    const sha256 = createHash("sha256").update(bytes).digest("hex");

    expect(`${bytes.length} bytes, sha256 ${sha256}`).toBe(golden.get(LONG_APPEND));
    // These are protoc's bytes, as the line above has shown.
    expect(raft.AppendEntriesRequest.decode(bytes)).toEqual(longAppend);
  });

  it.each(vectors)("reads past the fields of a newer server: $message, $title", ({ name, type, value }) => {
    const newer = bytesOf(NEWER_FIELDS);

    expect(type.decode(Buffer.concat([newer, bytesOf(name), newer]))).toStrictEqual(value);
  });

  it.each([
    ["clientId", 2n ** 63n],
    ["clientId", -(2n ** 63n) - 1n],
    ["commandId", 2n ** 64n],
  ])("refuses %s %d, which does not fit an int64, instead of cutting it", (field, value) => {
    const request = kv.CommandRequest.create({ [field]: value });

    expect(() => kv.CommandRequest.encode(request)).toThrow(field);
  });
});

describe("maps", () => {
  it("are read in whatever order they come, as Go's order is random", () => {
    const groups = new Map([
      [101, { servers: ["c:3"] }],
      [100, { servers: ["a:1", "b:2"] }],
    ]);
    const ascending = bytesOf("shardctrlerpb.CommandRequest | join two groups");
    const other = Buffer.from(
      ctrler.CommandRequest.encode(
        ctrler.CommandRequest.create({ servers: groups, clientId: 12n, commandId: 7n }),
      ).finish(),
    );

    expect(other).not.toEqual(ascending);
    expect([...other].sort()).toEqual([...ascending].sort());
    expect(ctrler.CommandRequest.decode(other)).toEqual(ctrler.CommandRequest.decode(ascending));
  });

  // protoc writes both halves of an entry always, ts-proto leaves out a zero; the specification lets readers fill it in.
  it("leave out keys and values of zero, which every reader fills in", () => {
    const value = shardkv.ShardsDataResponse.decode(bytesOf(ZERO_IN_MAP[1]!));

    const shorter = shardkv.ShardsDataResponse.encode(value).finish();

    expect(hex(shorter)).toBe("1a02120022021200");
    expect(golden.get(ZERO_IN_MAP[1]!)).toBe("1a0408001200220408001200");
    expect(shardkv.ShardsDataResponse.decode(shorter)).toEqual(value);
  });

  it.each(vectors.filter(({ name }) => ZERO_IN_MAP.includes(name)))(
    "come back whole from their shorter form: $message, $title",
    ({ type, value }) => {
      expect(type.decode(type.encode(value).finish())).toStrictEqual(value);
    },
  );
});
