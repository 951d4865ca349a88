import * as grpc from "@grpc/grpc-js";
import {
  callOptions,
  deadlineInterceptor,
  hedgingInterceptor,
  hooksInterceptor,
  type RetryInterceptorOptions,
  retryInterceptor,
} from "holdfast";
import { describe, expect, it } from "vitest";
import {
  CounterClient,
  type CountingServer,
  collect,
  fail,
  hang,
  headersThenFail,
  ok,
  unary,
  unavailable,
} from "../../support/counting-server.js";
import { failureOf, Stage, startUnary } from "../../support/stage.js";

const QUICK = { idempotent: true, throttle: false, backoff: { kind: "immediate" } } as const;

describe("the retry interceptor on a plain client", () => {
  const stage = new Stage();

  function client(
    server: { address: string },
    interceptors: grpc.Interceptor[],
    options: grpc.ClientOptions = {},
  ) {
    return stage.bareWith(server.address, grpc.credentials.createInsecure(), { interceptors, ...options });
  }
  function retrying(server: { address: string }, options: RetryInterceptorOptions = {}): CounterClient {
    return client(server, [retryInterceptor({ ...QUICK, ...options })]);
  }

  it("repeats a unary call, and the server is told how often (C21, R42)", async () => {
    const server = await stage.server();
    server.script([unavailable(), unavailable(), ok("done")]);

    const result = await unary(retrying(server), "x");

    expect(result).toEqual({ ok: true, text: "done" });
    expect(server.calls.map(({ previousAttempts }) => previousAttempts)).toEqual([0, 1, 2]);
  });

  it.each([1, 2, 3, 5])(
    "lets a server that always fails see exactly %i attempts (R166, G23)",
    async (maxAttempts) => {
      const server = await stage.server({ handler: unavailable() });

      const error = failureOf(await unary(retrying(server, { maxAttempts }), "x"));

      expect(server.executions.Unary).toBe(maxAttempts);
      expect(error).toMatchObject({ code: grpc.status.UNAVAILABLE, reason: "REMOTE", processed: "maybe" });
      expect(error.attempts.map(({ endpoint }) => endpoint)).toEqual(Array(maxAttempts).fill(server.address));
    },
  );

  it("never runs a handler twice of a method that is not idempotent (R22, R162)", async () => {
    const { server, proxy, address } = await stage.proxied({ handler: hang() });
    const stub = retrying({ address }, { idempotent: false });
    const { result } = startUnary(stub);
    await server.received();
    proxy.refuse();
    proxy.resetAll();

    const error = failureOf(await result);

    expect(error).toMatchObject({ reason: "CONNECTION_LOST", processed: "maybe" });
    expect(server.executions.Unary).toBe(1);
  });

  it("repeats an idempotent call whose connection was reset under it (R22, R43)", async () => {
    const { server, proxy, address } = await stage.proxied();
    server.script([hang(), ok("again")]);
    const { result } = startUnary(retrying({ address }));
    await server.received();
    proxy.resetAll();

    expect(await result).toEqual({ ok: true, text: "again" });
  });

  it("replays a client stream whole and in order (R43, R44)", async () => {
    const server = await stage.server();
    const answer = server.clientStream;
    server.clientStream = (call, callback) => {
      if (server.executions.ClientStream > 1) return answer(call, callback);
      // Fails in the middle of the stream.
      call.once("data", () => callback({ code: grpc.status.UNAVAILABLE }));
    };
    const texts = Array.from({ length: 50 }, (_, index) => String(index));

    const got = await new Promise((resolve, reject) => {
      const stream = retrying(server).clientStream((error, reply) =>
        error ? reject(error) : resolve(String(reply)),
      );
      for (const text of texts) stream.write(Buffer.from(text));
      stream.end();
    });

    expect(got).toBe(texts.join(","));
    expect(server.executions.ClientStream).toBe(2);
  });

  it("repeats a server stream before its first answer, and never resumes one that broke later (R43)", async () => {
    const server = await stage.server();
    server.serverStream = (call) => {
      const isFirst = server.executions.ServerStream === 1;
      if (!isFirst) call.write(Buffer.from("one"));
      call.emit("error", { code: grpc.status.UNAVAILABLE, details: isFirst ? "early" : "late" });
    };

    const { texts, status } = await collect(retrying(server).serverStream(Buffer.from("x")));

    expect(texts).toEqual(["one"]);
    expect(status).toMatchObject({ code: grpc.status.UNAVAILABLE, details: "late", processed: "yes" });
    expect(server.executions.ServerStream).toBe(2);
  });

  it("repeats a bidi stream with what was written so far, and goes on with it (R43, R44)", async () => {
    const server = await stage.server();
    const echo = server.bidi;
    server.bidi = (call) => {
      if (server.executions.Bidi > 1) return echo(call);
      call.once("data", () => call.emit("error", { code: grpc.status.UNAVAILABLE }));
    };
    const stream = retrying(server).bidi();
    stream.write(Buffer.from("a"));
    const collected = collect(stream);
    await server.received(2);
    stream.write(Buffer.from("b"));
    stream.end();

    const { texts, status } = await collected;

    expect(texts).toEqual(["a", "b"]);
    expect(status.code).toBe(grpc.status.OK);
  });

  it("does not repeat what fails after headers (R14)", async () => {
    const server = await stage.server({ handler: headersThenFail(grpc.status.UNAVAILABLE) });

    const error = failureOf(await unary(retrying(server), "x"));

    expect(error.details).toBe("after headers");
    expect(server.executions.Unary).toBe(1);
  });

  it("sends falling timeouts with the attempts of one deadline (R12, R49)", async () => {
    const server = await stage.server({ handler: unavailable() });
    const stub = retrying(server, { backoff: { kind: "fixed", initialMs: 30 }, attemptTimeoutMs: null });

    await unary(stub, "x", { timeoutMs: 5_000 });

    const deadlines = server.calls.map(({ deadline }) => Number(deadline));
    expect(deadlines).toHaveLength(3);
    // The same instant each time, as each server computes it from the time that was left.
    expect(Math.max(...deadlines) - Math.min(...deadlines)).toBeLessThan(20);
  });

  it("cuts an attempt that hangs, and repeats it within the deadline (R54, G23)", async () => {
    const server = await stage.server();
    server.script([hang(), ok("second")]);
    const stub = retrying(server, { attemptTimeoutMs: 50 });

    expect(await unary(stub, "x", { timeoutMs: 10_000 })).toEqual({ ok: true, text: "second" });
    expect(server.calls[0]?.isCancelled).toBe(true);
  });

  it("ends in the backoff when it is cancelled, and leaves nothing behind (R20, R53)", async () => {
    const server = await stage.server({ handler: unavailable() });
    const codes: number[] = [];
    let hasFailed!: (code: number) => void;
    const firstFailed = new Promise<number>((resolve) => {
      hasFailed = resolve;
    });
    const onFinish = ({ code }: { code: number }): void => {
      codes.push(code);
      hasFailed(code);
    };
    const stub = client(server, [
      retryInterceptor({ ...QUICK, backoff: { initialMs: 60_000 } }),
      hooksInterceptor({ onFinish }),
    ]);
    const { call, result } = startUnary(stub);
    await firstFailed;
    call.cancel();

    expect(failureOf(await result)).toMatchObject({ code: grpc.status.CANCELLED, reason: "CANCELLED" });
    expect(server.executions.Unary).toBe(1);
    expect(codes).toEqual([grpc.status.UNAVAILABLE]);
  });

  it("ends at the deadline in the backoff, with the last failure in its words (E44, R12)", async () => {
    const server = await stage.server({ handler: fail(grpc.status.UNAVAILABLE, "the disk is full") });
    const stub = client(server, [
      deadlineInterceptor({ timeoutMs: 80 }),
      retryInterceptor({ ...QUICK, backoff: { initialMs: 60_000 } }),
    ]);

    const error = failureOf(await unary(stub, "x", { deadline: Number.POSITIVE_INFINITY }));

    expect(error).toMatchObject({ code: grpc.status.DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED" });
    expect(error.details).toContain("the disk is full");
  });

  it("aborts by the signal of callOptions while an attempt runs (R53)", async () => {
    const server = await stage.server({ handler: hang() });
    const controller = new AbortController();
    const { result } = startUnary(retrying(server), callOptions({ signal: controller.signal }));
    await server.received();
    controller.abort();

    expect(failureOf(await result)).toMatchObject({ code: grpc.status.CANCELLED, processed: "maybe" });
  });

  it("is the outer one of two that counts, with one warning (G23)", async () => {
    const server = await stage.server({ handler: unavailable() });
    const warned = warnings();
    const inner = retryInterceptor({ ...QUICK, maxAttempts: 5 });
    const stub = client(server, [retryInterceptor({ ...QUICK, maxAttempts: 2 }), inner]);

    await unary(stub, "x");
    await unary(stub, "x");

    expect(server.executions.Unary).toBe(4);
    expect(await warned()).toEqual([expect.stringContaining("a retry interceptor above repeats it")]);
  });

  it("leaves a call alone that a service config has repeated, with one warning (G23, R166)", async () => {
    const server = await stage.server({ handler: unavailable() });
    const retryPolicy = {
      maxAttempts: 2,
      initialBackoff: "0.001s",
      maxBackoff: "0.001s",
      backoffMultiplier: 1,
      retryableStatusCodes: ["UNAVAILABLE"],
    };
    const warned = warnings();
    const stub = client(server, [retryInterceptor({ ...QUICK, maxAttempts: 5 })], {
      "grpc.service_config": JSON.stringify({ methodConfig: [{ name: [{}], retryPolicy }] }),
    });

    await unary(stub, "x");
    await unary(stub, "x");

    expect(server.executions.Unary).toBe(4);
    expect(await warned()).toHaveLength(1);
  });

  it("goes on repeating a method whose server once handed on the trailers of a call of its own", async () => {
    const server = await stage.server();
    let failures = 0;
    server.unary = (call, callback) => {
      const trailers = new grpc.Metadata();
      if (failures++ === 0) trailers.set("grpc-previous-rpc-attempts", "1");
      if (failures % 2 === 0) callback(null, call.request);
      else callback({ code: grpc.status.UNAVAILABLE, details: "x", metadata: trailers });
    };
    const warned = warnings();
    const stub = client(server, [retryInterceptor({ ...QUICK, idempotent: true })]);

    await unary(stub, "handed on");
    failures = 2;
    const second = await unary(stub, "repeated");

    expect(second.ok).toBe(true);
    await warned();
  });

  it.each(["retry", "hedging"])(
    "does not multiply the attempts of a hardened stub below %s (G23)",
    async (kind) => {
      const server = await stage.server({ handler: unavailable() });
      const warned = warnings();
      const interceptor =
        kind === "retry"
          ? retryInterceptor({ ...QUICK, maxAttempts: 5 })
          : hedgingInterceptor({ idempotent: true, delayMs: 10_000, throttle: false });
      const { channel } = stage.harden(server.address, {
        methods: { "holdfast.test.Counter": { idempotent: true } },
        retry: { backoff: { kind: "immediate" }, throttle: false },
        breaker: { consecutiveFailures: 100 },
      });
      const stub = new CounterClient("", grpc.credentials.createInsecure(), {
        channelOverride: channel,
        interceptors: [interceptor],
      });

      const error = failureOf(await unary(stub, "x"));
      const seen = server.executions.Unary;
      await unary(stub, "x");

      expect(seen).toBe(kind === "retry" ? 3 : 1);
      expect(server.executions.Unary).toBe(seen + 3);
      expect(error.attempts).toHaveLength(seen);
      expect(await warned()).toEqual([expect.stringContaining("the layer below it repeats calls already")]);
    },
  );
});

describe("the hedging interceptor on a plain client", () => {
  const stage = new Stage();

  function hedging(server: CountingServer, delayMs: number): CounterClient {
    return stage.bareWith(server.address, grpc.credentials.createInsecure(), {
      interceptors: [hedgingInterceptor({ idempotent: true, maxAttempts: 3, delayMs, throttle: false })],
    });
  }

  it("answers from the attempt that was not stuck, and cancels the one that is (R32, R35, R42)", async () => {
    const server = await stage.server();
    server.script([hang(), ok("second")]);

    const result = await unary(hedging(server, 20), "x");

    expect(result).toEqual({ ok: true, text: "second" });
    expect(server.calls.map(({ previousAttempts }) => previousAttempts)).toEqual([0, 1]);
    await expect.poll(() => server.calls[0]?.isCancelled).toBe(true);
  });

  it("streams every kind to its end, whichever attempt wins (R35, R38)", async () => {
    const server = await stage.server();
    const stub = hedging(server, 0);
    const down = await collect(stub.serverStream(Buffer.from("a,b,c")));
    const bidi = stub.bidi();
    for (const text of ["a", "b"]) bidi.write(Buffer.from(text));
    bidi.end();
    const both = await collect(bidi);
    const up = await new Promise((resolve, reject) => {
      const stream = stub.clientStream((error, reply) => (error ? reject(error) : resolve(String(reply))));
      for (const text of ["a", "b", "c"]) stream.write(Buffer.from(text));
      stream.end();
    });

    expect([down.texts, both.texts, up]).toEqual([["a", "b", "c"], ["a", "b"], "a,b,c"]);
    expect(server.calls).toHaveLength(9);
  });

  it("never shows a server more than maxAttempts of a call (R32, R36)", async () => {
    const server = await stage.server({ handler: unavailable() });

    const error = failureOf(await unary(hedging(server, 5), "x"));

    expect(server.executions.Unary).toBe(3);
    expect(error.attempts).toHaveLength(3);
  });
});

/** Collects Holdfast's warnings until it is asked for them. */
function warnings(): () => Promise<string[]> {
  const messages: string[] = [];
  const onWarning = (warning: Error): void => {
    if (warning.name === "HoldfastWarning" && /Interceptor lets/.test(warning.message))
      messages.push(warning.message);
  };
  process.on("warning", onWarning);
  return async () => {
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", onWarning);
    return messages;
  };
}
