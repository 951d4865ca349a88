import { Metadata, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type CounterClient,
  CountingServer,
  collect,
  counterClient,
  fail,
  hang,
  headersThenFail,
  ok,
  unary,
  unavailable,
} from "./counting-server.js";
import { FaultProxy } from "./fault-proxy.js";
import { type LeakBaseline, leakBaseline } from "./leak-check.js";

const NO_RETRIES = { "grpc.enable_retries": 0, "grpc.initial_reconnect_backoff_ms": 100 };

let baseline: LeakBaseline;
let server: CountingServer;
let client: CounterClient;

beforeEach(async () => {
  baseline = await leakBaseline();
  server = await CountingServer.start();
  client = counterClient(server.address, NO_RETRIES);
});

afterEach(async () => {
  client.close();
  await server.close();
  await baseline.expectClean();
});

describe("a counting server", () => {
  it("echoes calls of all four kinds and counts each", async () => {
    const bidi = client.bidi();
    bidi.write(Buffer.from("x"));
    bidi.end(Buffer.from("y"));
    const joined = new Promise((resolve) => {
      const call = client.clientStream((_error, answer) => resolve(String(answer)));
      call.write(Buffer.from("1"));
      call.end(Buffer.from("2"));
    });

    expect(await unary(client, "hello")).toEqual({ ok: true, text: "hello" });
    expect(await collect(client.serverStream(Buffer.from("a,b")))).toMatchObject({
      texts: ["a", "b"],
      status: { code: 0 },
    });
    expect(await collect(bidi)).toMatchObject({ texts: ["x", "y"], status: { code: 0 } });
    expect(await joined).toBe("1,2");
    expect(server.executions).toEqual({ Unary: 1, ServerStream: 1, ClientStream: 1, Bidi: 1 });
  });

  it("remembers metadata, attempt number and deadline of every call", async () => {
    const metadata = new Metadata();
    metadata.set("grpc-previous-rpc-attempts", "2");
    metadata.set("x-user", "ada");
    const before = Date.now();

    await unary(client, "a", { metadata, timeoutMs: 5_000 });

    const call = server.calls[0]!;
    expect([call.method, call.previousAttempts, call.metadata.get("x-user")]).toEqual(["Unary", 2, ["ada"]]);
    expect(Number(call.deadline) - before).toBeGreaterThan(4_000);
  });

  it("tells real connections apart by the client's socket address", async () => {
    const second = counterClient(server.address);

    await Promise.all([unary(client, "a"), unary(client, "b"), unary(second, "c")]);
    second.close();

    expect(server.peers.size).toBe(2);
  });

  it("gives the nth call the nth behaviour of its script", async () => {
    server.script([
      unavailable({ pushbackMs: 250 }),
      fail(status.ABORTED, "no"),
      headersThenFail(status.UNAVAILABLE),
      ok("x"),
    ]);

    const results = [];
    for (let call = 1; call <= 5; call++) results.push(await unary(client, "a"));

    expect(results).toMatchObject([
      { ok: false, error: { code: status.UNAVAILABLE, details: "scripted" } },
      { ok: false, error: { code: status.ABORTED, details: "no" } },
      { ok: false, error: { code: status.UNAVAILABLE, details: "after headers" } },
      { ok: true, text: "x" },
      { ok: false, error: { code: status.INTERNAL, details: "call 5, but the script has 4" } },
    ]);
    const [pushedBack] = results;
    expect(pushedBack?.ok === false && pushedBack.error.metadata.get("grpc-retry-pushback-ms")).toEqual([
      "250",
    ]);
  });

  it("sends headers first only when told to, so that a client can see which failure commits", async () => {
    server.script([unavailable(), headersThenFail(status.UNAVAILABLE)]);

    expect([await headersSeen(), await headersSeen()]).toEqual([false, true]);
  });

  it("hangs until the client gives up, and notices that", async () => {
    server.script([hang()]);
    const call = client.unary(Buffer.from("a"), () => {});
    await server.received(1);
    expect(server.calls[0]?.isCancelled).toBe(false);

    const noticed = new Promise<void>((resolve) => {
      server.unary = (_call, callback) => callback(null, Buffer.alloc(0));
      call.on("status", () => resolve());
    });
    call.cancel();
    await noticed;
    await unary(client, "the server has read the RST_STREAM that came before this");

    expect(server.calls[0]?.isCancelled).toBe(true);
  });

  it("comes back on the same port with its counts and behaviours", async () => {
    server.unary = ok("mine");
    await unary(client, "a");
    const port = server.port;

    await server.restart();
    const metadata = new Metadata({ waitForReady: true });

    expect(await unary(client, "b", { metadata })).toEqual({ ok: true, text: "mine" });
    expect([server.port, server.executions.Unary]).toEqual([port, 2]);
  });

  it("refuses connects while it is stopped", async () => {
    await server.stop();

    const result = await unary(client, "a");

    expect(result).toMatchObject({ ok: false, error: { code: status.UNAVAILABLE } });
    expect(String(!result.ok && result.error.details)).toContain("ECONNREFUSED");
  });

  it("finishes running calls when it drains", async () => {
    let answer: (() => void) | undefined;
    server.unary = (_call, callback) => {
      answer = () => callback(null, Buffer.from("finished"));
    };
    const call = unary(client, "a");
    await server.received(1);

    const drained = server.drain();
    answer?.();

    expect(await call).toEqual({ ok: true, text: "finished" });
    await drained;
  });

  async function headersSeen(): Promise<boolean> {
    let seen = false;
    await new Promise<void>((resolve) => {
      const call = client.unary(Buffer.from("a"), () => {});
      call.on("metadata", () => {
        seen = true;
      });
      call.on("status", () => resolve());
    });
    return seen;
  }
});

describe("a gRPC call through the fault proxy", () => {
  let proxy: FaultProxy;
  let proxied: CounterClient;

  beforeEach(async () => {
    proxy = await FaultProxy.start(server.port);
    proxied = counterClient(proxy.address, NO_RETRIES);
  });

  afterEach(async () => {
    proxied.close();
    await proxy.close();
  });

  it("is executed and never answered when answers are lost", async () => {
    await unary(proxied, "warm");
    await proxy.dropAnswers();

    const result = await unary(proxied, "a", { timeoutMs: 200 });

    expect(result).toMatchObject({ ok: false, error: { code: status.DEADLINE_EXCEEDED } });
    expect(server.executions.Unary).toBe(2);
  });

  it("is not executed in a black hole", async () => {
    await unary(proxied, "warm");
    await proxy.blackHole();

    const result = await unary(proxied, "a", { timeoutMs: 100 });

    expect(result).toMatchObject({ ok: false, error: { code: status.DEADLINE_EXCEEDED } });
    expect(server.executions.Unary).toBe(1);
  });

  it("fails when its connection is reset, and the next one dials again", async () => {
    await unary(proxied, "warm");
    server.script([hang(), ok("again")]);
    const call = unary(proxied, "a");
    await server.received(2);

    proxy.resetAll();

    expect(await call).toMatchObject({ ok: false, error: { code: status.UNAVAILABLE } });
    expect(await unary(proxied, "b", { metadata: new Metadata({ waitForReady: true }) })).toEqual({
      ok: true,
      text: "again",
    });
    expect(proxy.connections).toBe(2);
  });

  it("is refused while the proxy refuses", async () => {
    await proxy.refuse();

    const result = await unary(proxied, "a");

    expect(String(!result.ok && result.error.details)).toContain("ECONNREFUSED");
  });
});
