import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Server, ServerCredentials, type ServiceDefinition, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import type { ChannelOptions } from "../../src/call/index.js";
import { type GrpcLink, grpcLinks } from "../../src/raft-peer/grpc-link.js";
import type { LinkResult } from "../../src/raft-peer/unary-link.js";
import { counterService, fail, hang, unavailable } from "../support/counting-server.js";
import { turns } from "../support/event-loop.js";
import { grpcFrame } from "../support/raw-http2-server.js";
import { Stage } from "../support/stage.js";

const stage = new Stage();
const { Unary } = counterService;
const services = [counterService as unknown as ServiceDefinition];

function linkTo(address: string, options: ChannelOptions = {}): GrpcLink {
  const link = grpcLinks({ insecure: true, ...options })(address, services);
  return stage.use(link as GrpcLink);
}

interface Asking {
  readonly timeoutMs?: number;
  readonly request?: Buffer;
  readonly method?: typeof Unary;
}

/** One call; fails the test when its end is told within the call itself, or twice. */
function ask(link: GrpcLink, { timeoutMs = 5_000, request = Buffer.from("x"), method = Unary }: Asking = {}) {
  let isReturned = false;
  let times = 0;
  let cancel!: () => void;
  const result = new Promise<LinkResult<Buffer>>((resolve, reject) => {
    cancel = link.call(method, request, timeoutMs, (ended) => {
      times++;
      if (isReturned) resolve(ended);
      else reject(new Error("the end was told before call() returned"));
    });
    isReturned = true;
  }).then(async (ended) => {
    await turns(3);
    if (times !== 1) throw new Error(`the end was told ${times} times`);
    return ended;
  });
  return { result, cancel };
}

describe("a call over gRPC", () => {
  it("brings the answer and how long it took", async () => {
    const server = await stage.server();
    const link = linkTo(server.address);

    const result = await ask(link, { request: Buffer.from("hello") }).result;

    expect(result).toEqual({ ok: true, response: Buffer.from("hello"), ms: expect.any(Number) });
    expect(result.ms).toBeGreaterThan(0);
    expect(link.channel.known.kindOf("/test.Counter/Unary") ?? link.channel.known.kindOf(Unary.path)).toEqual(
      {
        requestStream: false,
        responseStream: false,
      },
    );
  });

  it("is one of many on the same connection", async () => {
    const server = await stage.server();
    const link = linkTo(server.address);

    const results = await Promise.all(Array.from({ length: 200 }, () => ask(link).result));

    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(server.peers.size).toBe(1);
  });

  it("reaches an IPv6 address", async () => {
    const server = new Server();
    server.addService(counterService, {
      unary: (call: { request: Buffer }, callback: (error: null, reply: Buffer) => void) =>
        callback(null, call.request),
    });
    stage.use({ close: () => server.forceShutdown() });
    const port = await bound(server, "[::1]:0");

    const result = await ask(linkTo(`[::1]:${port}`)).result;

    expect(result).toMatchObject({ ok: true, response: Buffer.from("x") });
  });

  it("reaches a socket path, also one with a comma in it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-link-"));
    stage.use({ close: () => rm(folder, { recursive: true }) });
    const server = new Server();
    server.addService(counterService, {
      unary: (call: { request: Buffer }, callback: (error: null, reply: Buffer) => void) =>
        callback(null, call.request),
    });
    stage.use({ close: () => server.forceShutdown() });
    const address = `unix:${join(folder, "a,b.sock")}`;
    await bound(server, address);

    const result = await ask(linkTo(address)).result;

    expect(result).toMatchObject({ ok: true, response: Buffer.from("x") });
  });

  it("is never made twice below the caller, whatever the channel's retry options", async () => {
    const server = await stage.server({ handler: unavailable() });
    const link = linkTo(server.address, { methods: { "test.Counter": { idempotent: true } } });

    const result = await ask(link).result;

    expect(result).toMatchObject({ ok: false, kind: "rejected", code: status.UNAVAILABLE });
    expect(server.executions.Unary).toBe(1);
  });
});

describe("a call that fails", () => {
  it("is a timeout when the server hangs; it may have run", async () => {
    const server = await stage.server({ handler: hang() });
    const link = linkTo(server.address);
    await ask(link, { timeoutMs: 1 }).result;

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
    const link = linkTo(address);

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

    const result = await ask(linkTo(address)).result;

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
    const { result } = ask(linkTo(address));
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

    const result = await ask(linkTo(server.address)).result;

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

    const result = await ask(linkTo(server.address), { method }).result;

    expect(result).toMatchObject({ kind: "rejected", code: status.UNIMPLEMENTED, reason: "REMOTE" });
  });

  it("is rejected, not a timeout, when the server says early that its own deadline passed", async () => {
    const server = await stage.server({ handler: fail(status.DEADLINE_EXCEEDED, "a disk was slow") });

    const result = await ask(linkTo(server.address)).result;

    expect(result).toMatchObject({ kind: "rejected", code: status.DEADLINE_EXCEEDED });
  });
});

describe("a message that does not fit", () => {
  it("is too large when the request is over our limit; it was never sent", async () => {
    const server = await stage.server();
    const link = linkTo(server.address, { maxSendMessageBytes: 100 });

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

    const result = await ask(linkTo(server.address), { request: Buffer.alloc(101) }).result;

    expect(result).toMatchObject({ kind: "too-large", code: status.RESOURCE_EXHAUSTED, reason: "REMOTE" });
    expect(server.executions.Unary).toBe(0);
  });

  it("is too large when the answer is over our limit; it may have run", async () => {
    const server = await stage.server({ handler: (_, callback) => callback(null, Buffer.alloc(101)) });
    const link = linkTo(server.address, { maxReceiveMessageBytes: 100 });

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

    expect(await ask(linkTo(server.address)).result).toMatchObject({ kind: "rejected" });
  });

  it.each([
    ["throws", () => void notEncodable()],
    ["makes no bytes", () => "text" as unknown as Buffer],
  ])("is invalid when its serializer %s; nothing was sent", async (_, requestSerialize) => {
    const server = await stage.server();
    const method = { ...Unary, requestSerialize } as typeof Unary;

    const result = await ask(linkTo(server.address), { method }).result;

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

    const result = await ask(linkTo(server.address), { method }).result;

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

    const result = await ask(linkTo(server.address), { timeoutMs: 2_000 }).result;

    expect(result).toMatchObject({ kind: "malformed", details: `${Unary.path}: the answer ${details}` });
  });
});

describe("the time of a call", () => {
  it("counts from each call, however often the same timeout was used", async () => {
    const server = await stage.server({ handler: hang() });
    const link = linkTo(server.address);

    const times: number[] = [];
    for (let call = 0; call < 3; call++) times.push((await ask(link, { timeoutMs: 40 }).result).ms);

    expect(Math.min(...times)).toBeGreaterThan(35);
    expect(Math.max(...times)).toBeLessThan(1_000);
  });

  it.each([0, -5, 0.3])("of %s ms ends as a timeout, not as an error of the caller", async (timeoutMs) => {
    const server = await stage.server({ handler: hang() });

    const result = await ask(linkTo(server.address), { timeoutMs }).result;

    expect(result).toMatchObject({ kind: "timeout", code: status.DEADLINE_EXCEEDED });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    "of %s is invalid, and says what is allowed",
    async (timeoutMs) => {
      const server = await stage.server();

      const result = await ask(linkTo(server.address), { timeoutMs }).result;

      expect(result).toMatchObject({ kind: "invalid", details: expect.stringContaining("timeoutMs is") });
    },
  );
});

describe("ending a call", () => {
  it("by cancelling it is closed, and the server hears of it", async () => {
    const server = await stage.raw(() => {});
    const { result, cancel } = ask(linkTo(server.address));
    const { stream } = await server.request();
    const aborted = new Promise((resolve) => stream.on("aborted", resolve));

    cancel();

    expect(await result).toMatchObject({
      kind: "closed",
      code: status.CANCELLED,
      reason: "CANCELLED",
      processed: "maybe",
    });
    await aborted;
  });

  it("by cancelling it at once never sends it", async () => {
    const server = await stage.server();
    const { result, cancel } = ask(linkTo(server.address));

    cancel();

    expect(await result).toMatchObject({ kind: "closed", processed: "no" });
    expect(server.executions.Unary).toBe(0);
  });

  it("by cancelling it after its end, or twice, changes nothing", async () => {
    const server = await stage.server();
    const { result, cancel } = ask(linkTo(server.address));
    expect(await result).toMatchObject({ ok: true });

    cancel();
    cancel();
    await turns(5);

    expect(await ask(linkTo(server.address)).result).toMatchObject({ ok: true });
  });

  it("by closing the link ends every call with closed, and later ones are closed too", async () => {
    const server = await stage.server({ handler: hang() });
    const link = linkTo(server.address);
    const running = [ask(link).result, ask(link).result];
    await server.received(2);

    await link.close();
    await link.close();

    expect(await Promise.all(running)).toMatchObject([
      { kind: "closed", reason: "CLIENT_CLOSED", processed: "maybe" },
      { kind: "closed", reason: "CLIENT_CLOSED", processed: "maybe" },
    ]);
    expect(await ask(link).result).toMatchObject({
      kind: "closed",
      code: status.CANCELLED,
      reason: "CLIENT_CLOSED",
      processed: "no",
    });
  });

  it("by closing the link while it dials leaves no socket", async () => {
    const { proxy, address } = await stage.proxied();
    await proxy.acceptThenSilence();
    const link = linkTo(address);
    const { result } = ask(link);
    await proxy.connected();

    await link.close();

    expect(await result).toMatchObject({ kind: "closed", processed: "no" });
  });
});

it("refuses bad channel options before anything is dialled", () => {
  expect(() => grpcLinks({})("127.0.0.1:1", services)).toThrow(/credentials is missing/);
});

function notEncodable(): never {
  throw new Error("bad bytes");
}

function bound(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}
