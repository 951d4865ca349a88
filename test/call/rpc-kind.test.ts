import { describe, expect, it } from "vitest";
import { KnownMethods, observedKind } from "../../src/call/rpc-kind.js";

describe("the kind of a call, told from how grpc-js's Client begins it", () => {
  it.each<[string, boolean, boolean, { requestStream: boolean; responseStream: boolean }]>([
    ["unary", true, true, { requestStream: false, responseStream: false }],
    ["client-streaming", true, false, { requestStream: true, responseStream: false }],
    ["server-streaming", false, true, { requestStream: false, responseStream: true }],
    ["bidirectional", false, false, { requestStream: true, responseStream: true }],
  ])("%s", (_kind, isReadAsked, isHalfClosed, expected) => {
    expect(observedKind(isReadAsked, isHalfClosed)).toEqual(expected);
  });
});

describe("what service definitions say", () => {
  const definitions = {
    get: {
      path: "/kv.KV/Get",
      requestStream: false,
      responseStream: false,
      options: { idempotency_level: "NO_SIDE_EFFECTS" },
    },
    delete: {
      path: "/kv.KV/Delete",
      requestStream: false,
      responseStream: false,
      options: { idempotency_level: "IDEMPOTENT" },
    },
    put: {
      path: "/kv.KV/Put",
      requestStream: false,
      responseStream: false,
      options: { idempotency_level: "IDEMPOTENCY_UNKNOWN" },
    },
    watch: { path: "/kv.KV/Watch", requestStream: true, responseStream: true },
  };

  it.each([
    ["/kv.KV/Get", true],
    ["/kv.KV/Delete", true],
    ["/kv.KV/Put", false],
    ["/kv.KV/Watch", false],
    ["/kv.KV/Unheard", false],
  ])("of idempotency is honoured: %s", (path, expected) => {
    const known = new KnownMethods();
    known.add(definitions);

    expect(known.isIdempotent(path)).toBe(expected);
  });

  it("of streams is remembered by full path", () => {
    const known = new KnownMethods();
    known.add(definitions);

    expect(known.kindOf("/kv.KV/Watch")).toEqual({ requestStream: true, responseStream: true });
    expect(known.kindOf("/kv.KV/Get")).toEqual({ requestStream: false, responseStream: false });
    expect(known.kindOf("/kv.KV/Unheard")).toBeNull();
  });

  it("of methods is remembered by service, and what else was learnt defines nothing", () => {
    const known = KnownMethods.of(definitions);
    known.learn("/kv.Log/Read", { requestStream: false, responseStream: true });

    expect([...known.services()]).toEqual([["kv.KV", ["Get", "Delete", "Put", "Watch"]]]);
  });

  it.each([[null], [undefined], ["kv"], [{ broken: null, other: 5, third: { path: 7 } }]])(
    "that are none are passed over: %j",
    (nonsense) => {
      const known = new KnownMethods();

      expect(() => known.add(nonsense)).not.toThrow();
    },
  );
});
