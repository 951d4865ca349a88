import * as grpc from "@grpc/grpc-js";
import { breakerInterceptor, compose, metadataInterceptor } from "holdfast";
import { describe, expect, it } from "vitest";
import { configErrorOf } from "../../support/config-error.js";
import { KINDS } from "../../support/contract-calls.js";
import { settle } from "../../support/manual-clock.js";
import { FakeTransport, type StartArgs, unaryThrough } from "./fake-below.js";
import { usePlainBench } from "./plain-bench.js";

const { status } = grpc;

function metadataOf(...entries: [string, string | Buffer][]): grpc.Metadata {
  const metadata = new grpc.Metadata();
  for (const [name, value] of entries) metadata.add(name, value);
  return metadata;
}

async function sent(interceptor: grpc.Interceptor, args: StartArgs = {}) {
  const transport = new FakeTransport();
  const { told } = unaryThrough(interceptor, transport, args);
  await settle();
  return { metadata: transport.calls[0]?.metadata ?? null, status: told.statuses[0] ?? null };
}

describe("the metadata interceptor", () => {
  it("adds its metadata, all values of a key and binary ones too", async () => {
    const added = metadataOf(
      ["x-tenant", "a"],
      ["x-tag", "1"],
      ["x-tag", "2"],
      ["x-id-bin", Buffer.from([0, 255])],
    );

    const { metadata } = await sent(metadataInterceptor(added));

    expect(metadata?.get("x-tenant")).toEqual(["a"]);
    expect(metadata?.get("x-tag")).toEqual(["1", "2"]);
    expect(metadata?.get("x-id-bin")).toEqual([Buffer.from([0, 255])]);
  });

  it("leaves a key alone that the call has itself, and the caller's own object as it is", async () => {
    const own = metadataOf(["x-tenant", "mine"]);
    own.setOptions({ waitForReady: true });
    const interceptor = metadataInterceptor(metadataOf(["x-tenant", "theirs"], ["x-tag", "1"]));

    const { metadata } = await sent(interceptor, { metadata: own });

    expect(metadata?.get("x-tenant")).toEqual(["mine"]);
    expect(metadata?.get("x-tag")).toEqual(["1"]);
    expect(metadata?.getOptions()).toMatchObject({ waitForReady: true });
    expect(own.getMap()).toEqual({ "x-tenant": "mine" });
  });

  it("is not changed by what happens to its metadata later", async () => {
    const given = metadataOf(["x-tenant", "a"]);
    const interceptor = metadataInterceptor(given);

    given.set("x-tenant", "b");

    expect((await sent(interceptor)).metadata?.get("x-tenant")).toEqual(["a"]);
  });

  it("asks a function for each call, and tells it the method", async () => {
    const interceptor = metadataInterceptor(({ method }) => metadataOf(["x-method", method]));

    expect((await sent(interceptor, { method: "/a.B/C" })).metadata?.get("x-method")).toEqual(["/a.B/C"]);
  });

  it("waits for a promise", async () => {
    const interceptor = metadataInterceptor(async () => metadataOf(["x-tenant", "later"]));

    expect((await sent(interceptor)).metadata?.get("x-tenant")).toEqual(["later"]);
  });

  const refuse = (error: unknown) => () => {
    throw error;
  };
  it.each([
    ["throws", refuse(new Error("no vault")), "the metadata function failed: no vault"],
    ["rejects", async () => refuse(new Error("no vault"))(), "the metadata function failed: no vault"],
    ["throws nothing useful", refuse(undefined), "the metadata function failed: undefined"],
    ["gives nothing", () => undefined, "the metadata function failed: it gave no grpc.Metadata"],
    ["gives a header HTTP/2 forbids", () => metadataOf(["connection", "close"]), "connection, which HTTP/2"],
  ])("C07: ends only that call when its function %s", async (_, source, sentence) => {
    const { metadata, status: failure } = await sent(metadataInterceptor(source as () => grpc.Metadata));

    expect(metadata).toBeNull();
    expect(failure).toMatchObject({ code: status.INTERNAL, reason: "METADATA_INVALID", processed: "no" });
    expect(failure?.details).toContain(sentence);
  });

  it("R164: keeps a code of the function that a client may use, and rewrites others", async () => {
    const failing = (code: number) =>
      metadataInterceptor(refuse(Object.assign(new Error("vault"), { code })) as () => grpc.Metadata);

    expect((await sent(failing(status.UNAVAILABLE))).status).toMatchObject({ code: status.UNAVAILABLE });
    expect((await sent(failing(status.NOT_FOUND))).status).toMatchObject({
      code: status.INTERNAL,
      details: "the metadata function failed (code NOT_FOUND): vault",
    });
  });

  it("does not show a secret value that grpc-js refused", async () => {
    const interceptor = metadataInterceptor(() => metadataOf(["authorization", "s3cret\nline"]));

    const { status: failure } = await sent(interceptor);

    expect(failure?.details).toContain("illegal characters");
    expect(JSON.stringify(failure)).not.toContain("s3cret");
  });

  it("D20: refuses more metadata than a server takes", async () => {
    const interceptor = metadataInterceptor(metadataOf(["x-small", "a"]), { maxMetadataBytes: 100 });

    const { status: failure } = await sent(interceptor, {
      metadata: metadataOf(["x-large", "b".repeat(100)]),
    });

    expect(failure).toMatchObject({ reason: "METADATA_INVALID" });
    expect(failure?.details).toBe("the metadata has 115 bytes; maxMetadataBytes allows 100");
  });

  it("C07: is no failure to a breaker around it", async () => {
    const breaker = breakerInterceptor({ consecutiveFailures: 1 });
    const chain = compose(breaker, metadataInterceptor(metadataOf(["x", "y"])));

    const { status: failure } = await sent(chain, { metadata: metadataOf(["upgrade", "h2c"]) });

    expect(failure).toMatchObject({ reason: "METADATA_INVALID" });
    expect(breaker.state()).toBe("closed");
  });

  it.each([
    [undefined, {}, "metadata must be grpc.Metadata"],
    [{ "x-tenant": "a" }, {}, "metadata must be grpc.Metadata"],
    [metadataOf(["te", "gzip"]), {}, "te; allowed: trailers"],
    [metadataOf(["x", "y"]), { maxMetadataBytes: -1 }, "maxMetadataBytes is -1; allowed: 0 or more"],
  ])("refuses %o with %o", (metadata, options, sentence) => {
    const error = configErrorOf(() => metadataInterceptor(metadata as grpc.Metadata, options));

    expect(error.details).toContain(sentence);
  });
});

describe("the metadata interceptor on a real client", () => {
  const bench = usePlainBench();

  it.each(KINDS)("C06: reaches the server on a %s call, also when it comes late", async (kind) => {
    const stub = bench.open([metadataInterceptor(async () => metadataOf(["x-tenant", "a"]))]);

    const { error, answers } = await bench.call(stub, kind, { texts: ["a", "b", "c"] });

    expect(error).toBeNull();
    expect(answers.length).toBeGreaterThan(0);
    expect(bench.server.runs[0]?.metadata.get("x-tenant")).toEqual(["a"]);
    if (kind === "clientStream" || kind === "bidi") {
      expect(bench.server.runs[0]?.texts).toEqual(["a", "b", "c"]);
    }
  });
});
