import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { type ChannelOptions, createChannel } from "holdfast";
import { describe, expect, it } from "vitest";
import { describedMethods } from "../../src/call/descriptor-set.js";
import { configErrorOf, problemCount } from "../support/config-error.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

const method = (name: string, fields: object = {}) => ({
  name,
  inputType: ".kv.Ask",
  outputType: ".kv.Answer",
  ...fields,
});
const KV = {
  name: "kv.proto",
  package: "kv.v1",
  messageType: [{ name: "Ask" }],
  service: [
    {
      name: "KV",
      method: [
        method("Get", { options: { idempotencyLevel: 1 } }),
        method("Delete", { options: { idempotencyLevel: 2, deprecated: true } }),
        method("Put", { options: { idempotencyLevel: 0 } }),
        method("Watch", { clientStreaming: true, serverStreaming: true }),
      ],
    },
  ],
};
const LOOSE = {
  name: "loose.proto",
  service: [{ name: "Loose", method: [method("Load", { clientStreaming: true })] }],
};

/** Encoded by the protobuf runtime, which our reader of six fields is held against. */
function encoded(...file: object[]): Uint8Array {
  return toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file }));
}

function refusal(options: object) {
  return configErrorOf(() =>
    createChannel("static:///a:1", { insecure: true, ...options } as ChannelOptions),
  );
}

describe("descriptors", () => {
  it("tell every method by full path, its kind, and whether it is safe to repeat", () => {
    expect(describedMethods(encoded(LOOSE, KV))).toEqual([
      { path: "/Loose/Load", requestStream: true, responseStream: false, isIdempotent: false },
      { path: "/kv.v1.KV/Get", requestStream: false, responseStream: false, isIdempotent: true },
      { path: "/kv.v1.KV/Delete", requestStream: false, responseStream: false, isIdempotent: true },
      { path: "/kv.v1.KV/Put", requestStream: false, responseStream: false, isIdempotent: false },
      { path: "/kv.v1.KV/Watch", requestStream: true, responseStream: true, isIdempotent: false },
    ]);
  });

  it("may say a thing twice, of which the last word counts, as everywhere in protobuf", () => {
    const field = (tag: number, ...bytes: number[]) => [tag, bytes.length, ...bytes];
    const name = (letter: string) => field(0x0a, letter.charCodeAt(0));
    const method = field(0x12, ...name("A"), ...name("M"), 0x28, 0, 0x28, 1);
    const file = field(0x32, ...name("S"), ...method);

    expect(describedMethods(new Uint8Array(field(0x0a, ...file)))).toEqual([
      { path: "/S/M", requestStream: true, responseStream: false, isIdempotent: false },
    ]);
  });

  it("are read as buf writes them, as the protobuf runtime reads them", () => {
    const args = [
      "build",
      "test/fixtures/stubs",
      "--path",
      "test/fixtures/stubs/contract.proto",
      "-o",
      "-#format=binpb",
    ];
    const { stdout, stderr } = spawnSync(`${root}node_modules/.bin/buf`, args, { cwd: root });
    expect(stderr.toString()).toBe("");

    const services = fromBinary(FileDescriptorSetSchema, stdout).file.flatMap((file) =>
      file.service.map((service) => ({
        prefix: `/${file.package}.${service.name}/`,
        methods: service.method,
      })),
    );
    const expected = services.flatMap(({ prefix, methods }) =>
      methods.map(({ name, clientStreaming, serverStreaming, options }) => ({
        path: `${prefix}${name}`,
        requestStream: clientStreaming,
        responseStream: serverStreaming,
        isIdempotent: (options?.idempotencyLevel ?? 0) > 0,
      })),
    );
    expect(expected).toHaveLength(5);
    expect(describedMethods(stdout)).toEqual(expected);
  });

  it.each([[encoded(KV)], [[encoded(KV)]], [[encoded(LOOSE), encoded(KV)]], [Buffer.from(encoded(KV))]])(
    "make a channel know which methods are idempotent, one set or several",
    async (descriptors) => {
      const channel = createChannel("static:///a:1", { insecure: true, descriptors });

      expect(channel.known.isIdempotent("/kv.v1.KV/Get")).toBe(true);
      expect(channel.known.isIdempotent("/kv.v1.KV/Put")).toBe(false);
      expect(channel.known.kindOf("/kv.v1.KV/Watch")).toEqual({ requestStream: true, responseStream: true });
      await channel.close();
    },
  );
});

describe("bad descriptors are refused by name", () => {
  const good = encoded(KV);

  it.each<[unknown, string]>([
    [new Uint8Array(), "descriptors: describes no method; allowed: bytes as protoc --descriptor_set_out"],
    [[], "descriptors: is empty; allowed: one FileDescriptorSet or more"],
    [good.subarray(0, -3), "descriptors: is no FileDescriptorSet: "],
    [[good, Buffer.from("syntax = 'proto3';")], "descriptors.1: is no FileDescriptorSet: "],
    [encoded({ name: "empty.proto" }), "descriptors: describes no method"],
    [
      encoded({ name: "x.proto", service: [{ name: "S", method: [{ name: "a b" }] }] }),
      '"/S/a b" is the path of no method',
    ],
    ["image.binpb", 'descriptors is "image.binpb": allowed: the bytes of the file, not its path'],
    [[good, null], "descriptors.1 is null: allowed: bytes as protoc"],
    [{}, "descriptors: allowed: bytes as protoc"],
    [new Uint8Array([0x08, 0x01]), "descriptors: is no FileDescriptorSet: field 1 holds a number"],
    [new Uint8Array([0x0a, 0x02, 0x18, 0x01]), "descriptors: describes no method"],
    [
      new Uint8Array([0x0a, 0x02, 0x10, 0x01]),
      "descriptors: is no FileDescriptorSet: field 2 holds a number",
    ],
  ])("%#", (descriptors, sentence) => {
    const error = refusal({ descriptors });

    expect(problemCount(error)).toBe(1);
    expect(error.details).toContain(sentence);
  });

  it("beside every other problem", () => {
    expect(problemCount(refusal({ descriptors: [], timeoutMs: -1 }))).toBe(2);
  });

  it("never with anything but an error of configuration, whatever the bytes", () => {
    for (let at = 0; at < good.length; at++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const bytes = good.slice();
        bytes[at]! ^= flip;
        const methods = describedMethods(bytes);
        expect(typeof methods === "string" || methods.length > 0).toBe(true);
      }
    }
  });
});
