import { status } from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import {
  type CountingServer,
  collect,
  fail,
  headersThenFail,
  ok,
  unary,
  unavailable,
} from "../support/counting-server.js";
import { ending, endings, failureOf, Stage } from "../support/stage.js";

const stage = new Stage();
const QUICK = { retry: { backoff: { kind: "fixed" as const, initialMs: 1 } } };
const idempotent = callOptions({ idempotent: true });

/** The header of gRFC A6 on each attempt, as the server saw it. */
function previousAttempts(server: CountingServer): (string | undefined)[] {
  return server.calls.map(({ metadata }) => metadata.get("grpc-previous-rpc-attempts")[0]?.toString());
}

describe("an idempotent call", () => {
  it("is made a third time after two UNAVAILABLE, and tells the server how many came before (R42, R173)", async () => {
    const server = await stage.server();
    server.script([unavailable(), unavailable(), ok("at last")]);
    const { client, channel, events } = stage.harden([server], QUICK);

    const result = await unary(client, "x", idempotent);

    expect(result).toEqual({ ok: true, text: "at last" });
    expect(previousAttempts(server)).toEqual([undefined, "1", "2"]);
    expect(channel.stats().calls).toMatchObject({ started: 1, succeeded: 1, attempts: 3, retries: 2 });
    expect(events.of("call.recovered")).toMatchObject([{ attempts: 3 }]);
  });

  it("is made once when the server says INVALID_ARGUMENT", async () => {
    const server = await stage.server({ handler: fail(status.INVALID_ARGUMENT, "no key") });
    const { client } = stage.harden([server], QUICK);

    const error = failureOf(await unary(client, "x", idempotent));

    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT, details: "no key", reason: "REMOTE" });
    expect(error.attempts.length).toBe(1);
    expect(server.executions.Unary).toBe(1);
  });

  it("is made exactly maxAttempts times against a server that is always UNAVAILABLE (R166, R2)", async () => {
    const server = await stage.server({ handler: unavailable() });
    const { client } = stage.harden([server], { retry: { ...QUICK.retry, maxAttempts: 4 } });

    const error = failureOf(await unary(client, "x", idempotent));

    expect(server.executions.Unary).toBe(4);
    // The server's own words stay as they are, however many attempts came before.
    expect(error).toMatchObject({ code: status.UNAVAILABLE, details: "scripted", reason: "REMOTE" });
    expect(error.origin).toBe("remote");
    expect(error.attempts.map(({ next }) => next.slice(0, 11))).toEqual([
      "retried aft",
      "retried aft",
      "retried aft",
      "not retried",
    ]);
  });

  it("is not repeated once its response has begun (R14)", async () => {
    const server = await stage.server({ handler: headersThenFail(status.UNAVAILABLE) });
    const { client } = stage.harden([server], QUICK);

    const error = failureOf(await unary(client, "x", idempotent));

    expect(error).toMatchObject({ code: status.UNAVAILABLE, details: "after headers" });
    expect(error.attempts[0]?.next).toContain("the response had begun");
    expect(server.executions.Unary).toBe(1);
  });

  it("is repeated on another endpoint than the one that failed, whoever is next in turn (R13)", async () => {
    const [bad, good] = [await stage.server({ handler: unavailable() }), await stage.server()];
    const { client } = await stage.warm([bad, good], QUICK);

    // Two at a time, so that sometimes the endpoint that failed is the next one again.
    const results = [];
    for (let pair = 0; pair < 4; pair++) {
      results.push(...(await Promise.all([unary(client, "x", idempotent), unary(client, "y", idempotent)])));
    }

    expect(endings(results)).toEqual({ OK: 8 });
    expect([bad.executions.Unary, good.executions.Unary]).toEqual([4, 8]);
  });

  it("keeps each message in order when a client stream is repeated (R43, R44)", async () => {
    const server = await stage.server();
    const echo = server.clientStream;
    let calls = 0;
    server.clientStream = (call, callback) => {
      if (++calls > 1) return echo(call, callback);
      // All messages have been sent once before this attempt fails.
      call.resume().on("end", () => callback({ code: status.UNAVAILABLE, details: "scripted" }));
    };
    const { client } = stage.harden([server], QUICK);

    const answer = await new Promise<string>((resolve) => {
      const stream = client.clientStream(idempotent, (error, text) => resolve(String(error ?? text)));
      for (let part = 0; part < 20; part++) stream.write(Buffer.from(String(part)));
      stream.end();
    });

    expect(answer).toBe(Array.from({ length: 20 }, (_, part) => part).join(","));
    expect(previousAttempts(server)).toEqual([undefined, "1"]);
  });

  it("is repeated as a server stream that failed before its first message (R43)", async () => {
    const server = await stage.server();
    const echo = server.serverStream;
    let calls = 0;
    server.serverStream = (call) => {
      if (++calls > 1) return echo(call);
      call.emit("error", { code: status.UNAVAILABLE, details: "scripted" });
    };
    const { client } = stage.harden([server], QUICK);

    const result = await collect(client.serverStream(Buffer.from("a,b,c"), idempotent));

    expect([result.texts, ending(result.status)]).toEqual([["a", "b", "c"], "OK"]);
    expect(server.executions.ServerStream).toBe(2);
  });
});

describe("a call that is not declared idempotent", () => {
  it("is made once when the server says UNAVAILABLE, which does not prove that it did not run (R22, R162)", async () => {
    const server = await stage.server({ handler: unavailable() });
    const { client } = stage.harden([server], QUICK);

    const error = failureOf(await unary(client, "x"));

    expect(error).toMatchObject({ code: status.UNAVAILABLE, reason: "REMOTE", processed: "maybe" });
    expect(error.attempts[0]?.next).toContain("not declared idempotent");
    expect(server.executions.Unary).toBe(1);
  });

  it("is repeated where the configuration declares its method idempotent", async () => {
    const server = await stage.server();
    server.script([unavailable(), ok("second")]);
    const methods = { "holdfast.test.Counter/Unary": { idempotent: true } };
    const { client } = stage.harden([server], { ...QUICK, methods });

    expect(await unary(client, "x")).toEqual({ ok: true, text: "second" });
  });

  it("is repeated where the caller marks the request idempotent in grpc-js's own way", async () => {
    const server = await stage.server();
    server.script([unavailable(), ok("second")]);
    const { client } = stage.harden([server], QUICK);
    const metadata = new (await import("@grpc/grpc-js")).Metadata({ idempotentRequest: true });

    expect(await unary(client, "x", { metadata })).toEqual({ ok: true, text: "second" });
  });
});
