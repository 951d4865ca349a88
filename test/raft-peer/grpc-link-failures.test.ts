import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { fail, hang } from "../support/counting-server.js";
import { grpcFrame } from "../support/raw-http2-server.js";
import { Stage } from "../support/stage.js";
import { ask, linkTo, readyLink, Unary } from "./link-calls.js";

const stage = new Stage();

describe("a call that fails", () => {
  it("is a timeout when the server hangs; it may have run", async () => {
    const server = await stage.server({ handler: hang() });
    const link = await readyLink(stage, server.address);

    const result = await ask(link, { timeoutMs: 60 }).result;

    expect(result).toMatchObject({
      ok: false,
      kind: "timeout",
      code: status.DEADLINE_EXCEEDED,
      processed: "maybe",
      attempts: [{ attempt: 1, endpoint: server.address, processed: "maybe" }],
    });
    expect(result.ms).toBeGreaterThan(55);
  });

  it("is a timeout when no connection came about in its time; it has not run", async () => {
    const { proxy, server, address } = await stage.proxied();
    await proxy.acceptThenSilence();
    const link = linkTo(stage, address);

    const result = await ask(link, { timeoutMs: 60 }).result;

    expect(result).toMatchObject({
      kind: "timeout",
      code: status.DEADLINE_EXCEEDED,
      reason: "NO_READY_ENDPOINT",
      processed: "no",
    });
    expect(server.executions.Unary).toBe(0);
  });

  it("is unreachable when the port refuses; it has not run", async () => {
    const { proxy, address } = await stage.proxied();
    await proxy.refuse();

    const result = await ask(linkTo(stage, address)).result;

    expect(result).toMatchObject({
      kind: "unreachable",
      code: status.UNAVAILABLE,
      reason: "DIAL_FAILED",
      processed: "no",
      details: expect.stringContaining("ECONNREFUSED"),
    });
  });

  it("is unreachable when the connection is reset under it; it may have run", async () => {
    const { proxy, server, address } = await stage.proxied({ handler: hang() });
    const { result } = ask(linkTo(stage, address));
    await server.received(1);

    proxy.resetAll();

    expect(await result).toMatchObject({
      kind: "unreachable",
      code: status.UNAVAILABLE,
      reason: "CONNECTION_LOST",
      processed: "maybe",
    });
    expect(server.executions.Unary).toBe(1);
  });

  it("is rejected with the server's own code and words", async () => {
    const server = await stage.server({ handler: fail(status.FAILED_PRECONDITION, "log compacted") });

    const result = await ask(linkTo(stage, server.address)).result;

    expect(result).toMatchObject({
      kind: "rejected",
      code: status.FAILED_PRECONDITION,
      reason: "REMOTE",
      processed: "maybe",
      details: expect.stringContaining("log compacted"),
    });
  });

  it("is rejected by a server that does not know the method", async () => {
    const server = await stage.server();
    const method = { ...Unary, path: "/kvraftpb.KVService/Command" } as unknown as typeof Unary;

    const result = await ask(linkTo(stage, server.address), { method }).result;

    expect(result).toMatchObject({ kind: "rejected", code: status.UNIMPLEMENTED, reason: "REMOTE" });
  });

  it("is rejected, not a timeout, when the server says early that its own deadline passed", async () => {
    const server = await stage.server({ handler: fail(status.DEADLINE_EXCEEDED, "a disk was slow") });

    const result = await ask(linkTo(stage, server.address)).result;

    expect(result).toMatchObject({ kind: "rejected", code: status.DEADLINE_EXCEEDED });
  });
});

describe("a message that does not fit", () => {
  it("is too large when the request is over our limit; it was never sent", async () => {
    const server = await stage.server();
    const link = linkTo(stage, server.address, { maxSendMessageBytes: 100 });

    const result = await ask(link, { request: Buffer.alloc(101) }).result;

    expect(result).toMatchObject({
      kind: "too-large",
      code: status.RESOURCE_EXHAUSTED,
      reason: "MESSAGE_TOO_LARGE",
      processed: "no",
      details: expect.stringMatching(/101 bytes; maxSendMessageBytes allows 100/),
    });
    expect(server.executions.Unary).toBe(0);
  });

  it("is too large when the request is over the server's limit", async () => {
    const server = await stage.server({ serverOptions: { "grpc.max_receive_message_length": 100 } });

    const result = await ask(linkTo(stage, server.address), { request: Buffer.alloc(101) }).result;

    expect(result).toMatchObject({ kind: "too-large", code: status.RESOURCE_EXHAUSTED, reason: "REMOTE" });
    expect(server.executions.Unary).toBe(0);
  });

  it("is too large when the answer is over our limit; it may have run", async () => {
    const server = await stage.server({ handler: (_, callback) => callback(null, Buffer.alloc(101)) });
    const link = linkTo(stage, server.address, { maxReceiveMessageBytes: 100 });

    const result = await ask(link).result;

    expect(result).toMatchObject({
      kind: "too-large",
      code: status.RESOURCE_EXHAUSTED,
      reason: "MESSAGE_TOO_LARGE",
      processed: "maybe",
    });
  });

  it("is rejected, not too large, when the server is out of something else", async () => {
    const server = await stage.server({ handler: fail(status.RESOURCE_EXHAUSTED, "quota") });

    expect(await ask(linkTo(stage, server.address)).result).toMatchObject({ kind: "rejected" });
  });

  it.each([
    ["throws", () => void notEncodable()],
    ["makes no bytes", () => "text" as unknown as Buffer],
  ])("is invalid when its serializer %s; nothing was sent", async (_, requestSerialize) => {
    const server = await stage.server();
    const method = { ...Unary, requestSerialize } as typeof Unary;

    const result = await ask(linkTo(stage, server.address), { method }).result;

    expect(result).toMatchObject({
      kind: "invalid",
      code: status.INTERNAL,
      processed: "no",
      attempts: [],
      details: expect.stringContaining(`${Unary.path}: the request cannot be sent: `),
    });
    expect(server.executions.Unary).toBe(0);
  });

  it("is malformed when the answer cannot be decoded; it has run", async () => {
    const server = await stage.server();
    const method = { ...Unary, responseDeserialize: notEncodable } as unknown as typeof Unary;

    const result = await ask(linkTo(stage, server.address), { method }).result;

    expect(result).toMatchObject({
      kind: "malformed",
      code: status.INTERNAL,
      processed: "yes",
      details: `${Unary.path}: the answer of 1 bytes cannot be decoded: bad bytes`,
    });
    expect(server.executions.Unary).toBe(1);
  });

  it.each([
    ["no message", [], "has no message"],
    ["two messages", ["a", "b"], "has more than one message"],
  ] as const)("is malformed when an OK comes with %s", async (_, messages, details) => {
    const server = await stage.raw(({ stream }) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.concat(messages.map((text) => grpcFrame(Buffer.from(text)))));
    });

    const result = await ask(linkTo(stage, server.address), { timeoutMs: 2_000 }).result;

    expect(result).toMatchObject({ kind: "malformed", details: `${Unary.path}: the answer ${details}` });
  });
});

function notEncodable(): never {
  throw new Error("bad bytes");
}
