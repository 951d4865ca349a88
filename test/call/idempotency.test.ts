import { describe, expect, it } from "vitest";
import { declaresIdempotent } from "../../src/call/idempotency.js";
import { KnownMethods } from "../../src/call/rpc-kind.js";

describe("a method definition that says it is safe to repeat is believed, whoever generated it", () => {
  it.each([
    ["proto-loader", { options: { idempotency_level: "NO_SIDE_EFFECTS" } }],
    ["proto-loader, the other level", { options: { idempotency_level: "IDEMPOTENT" } }],
    ["a descriptor as an object", { options: { idempotencyLevel: 1 } }],
    ["a descriptor, the other level", { options: { idempotencyLevel: 2 } }],
    ["ts-proto's generic definitions", { options: { idempotencyLevel: "IDEMPOTENT" } }],
    ["protobuf-ts", { idempotency: "NO_SIDE_EFFECTS" }],
    ["protobuf-es and connect-es", { idempotency: 2 }],
    ["hand-written", { idempotencyLevel: "IDEMPOTENT" }],
  ])("%s", (_generator, fields) => {
    const known = KnownMethods.of({ get: { path: "/kv.KV/Get", requestStream: false, ...fields } });

    expect(known.isIdempotent("/kv.KV/Get")).toBe(true);
  });
});

describe("anything else is not taken for a declaration", () => {
  it.each([
    {},
    { options: null },
    { options: "IDEMPOTENT" },
    { options: { idempotency_level: "IDEMPOTENCY_UNKNOWN" } },
    { options: { idempotencyLevel: 0 } },
    { options: { idempotencyLevel: 3 } },
    { options: { idempotencyLevel: true } },
    { options: { idempotencyLevel: "1" } },
    { idempotency: undefined },
    { idempotency: "idempotency" },
    { idempotent: true },
  ])("%j", (definition) => {
    expect(declaresIdempotent(definition)).toBe(false);
  });
});
