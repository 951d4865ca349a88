import { status } from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { hang, ok, unary } from "../support/counting-server.js";
import { until } from "../support/event-loop.js";
import { type RawRequest, respondTrailersOnly } from "../support/raw-http2-server.js";
import { ending, endings, failureOf, Stage } from "../support/stage.js";

const stage = new Stage();
const PAUSE = { kind: "fixed" as const, initialMs: 20, jitter: "none" as const };

const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** The `grpc-timeout` header in ms. */
function timeoutMs({ headers }: RawRequest): number {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(String(headers["grpc-timeout"])) ?? [];
  return Number(digits) * (UNITS[unit ?? ""] ?? Number.NaN);
}

describe("the grpc-timeout that each attempt sends", () => {
  it("falls by the time that has passed, so that the server gives up when the caller does (R49)", async () => {
    const requests: RawRequest[] = [];
    const raw = await stage.raw((request) => {
      requests.push(request);
      respondTrailersOnly(request.stream, status.UNAVAILABLE, "scripted");
    });
    const { client } = stage.harden([raw], { attemptTimeoutMs: null, retry: { backoff: PAUSE } });

    await unary(client, "x", callOptions({ idempotent: true, timeoutMs: 5_000 }));

    const [first, second, third] = requests.map(timeoutMs) as [number, number, number];
    expect(first).toBeLessThanOrEqual(5_000);
    expect(second).toBeLessThanOrEqual(first - 19);
    expect(third).toBeLessThanOrEqual(second - 19);
    expect(third).toBeGreaterThan(0);
  });

  it("is the attempt's own limit where that ends first (R54)", async () => {
    const requests: RawRequest[] = [];
    const raw = await stage.raw((request) => {
      requests.push(request);
      respondTrailersOnly(request.stream, status.UNAVAILABLE, "scripted");
    });
    const { client } = stage.harden([raw], { attemptTimeoutMs: 700, retry: { backoff: PAUSE } });

    await unary(client, "x", callOptions({ idempotent: true, timeoutMs: 5_000 }));

    expect(requests.length).toBe(3);
    for (const request of requests) expect(timeoutMs(request)).toBeLessThanOrEqual(700);
    for (const request of requests) expect(timeoutMs(request)).toBeGreaterThan(0);
  });

  it("is absent where nothing limits the call (R48)", async () => {
    const raw = await stage.raw(({ stream }) => respondTrailersOnly(stream, status.NOT_FOUND));
    const { client } = stage.harden([raw], { timeoutMs: null });

    await unary(client, "x", callOptions({}));

    expect((await raw.request()).headers["grpc-timeout"]).toBeUndefined();
  });
});

describe("an attempt that is not answered within attemptTimeoutMs", () => {
  it("is given up and made again elsewhere when the call is idempotent (R54)", async () => {
    const [slow, up] = [await stage.server({ handler: hang() }), await stage.server()];
    const { client } = await stage.warm([slow, up], { attemptTimeoutMs: 150, retry: { backoff: PAUSE } });
    const options = callOptions({ idempotent: true, timeoutMs: 5_000 });

    const results = await Promise.all([unary(client, "a", options), unary(client, "b", options)]);

    expect(endings(results)).toEqual({ OK: 2 });
    expect([slow.executions.Unary, up.executions.Unary]).toEqual([1, 2]);
    await until(() => slow.calls[0]?.isCancelled === true, "the end of the first attempt on its server");
  });

  it("ends a call that is not idempotent, which the server may have run", async () => {
    const server = await stage.server({ handler: hang() });
    const { client } = stage.harden([server], { attemptTimeoutMs: 100 });

    const error = failureOf(await unary(client, "x", callOptions({ timeoutMs: 5_000 })));

    expect(error).toMatchObject({ code: status.DEADLINE_EXCEEDED, reason: "ATTEMPT_TIMEOUT" });
    expect(error).toMatchObject({ processed: "maybe", origin: "local" });
    expect(server.executions.Unary).toBe(1);
  });

  it("ends the call as RETRIES_EXHAUSTED when it was the last of several (R54)", async () => {
    const server = await stage.server({ handler: hang() });
    const { client } = stage.harden([server], {
      attemptTimeoutMs: 60,
      retry: { maxAttempts: 2, backoff: PAUSE },
    });

    const error = failureOf(await unary(client, "x", callOptions({ idempotent: true, timeoutMs: 5_000 })));

    expect(error).toMatchObject({ code: status.DEADLINE_EXCEEDED, reason: "RETRIES_EXHAUSTED" });
    expect(error.attempts.map(({ reason }) => reason)).toEqual(["ATTEMPT_TIMEOUT", "ATTEMPT_TIMEOUT"]);
  });

  it("leaves the server in use when it answers others: slow calls are no dead connection", async () => {
    const server = await stage.server();
    const { client, events, channel } = stage.harden([server], {
      attemptTimeoutMs: 150,
      retry: { maxAttempts: 1 },
    });
    await unary(client, "warm");
    server.script([hang(), ok("quick")]);
    const options = callOptions({ timeoutMs: 5_000 });

    const results = await Promise.all([unary(client, "slow", options), unary(client, "quick", options)]);

    expect(results.map(ending)).toEqual(["DEADLINE_EXCEEDED ATTEMPT_TIMEOUT maybe", "OK"]);
    expect(events.count("connection.suspect")).toBe(0);
    expect(channel.endpoints()[0]).toMatchObject({ state: "READY", breaker: "closed" });
  });

  it("is a share of the call's time where the caller set no limit", async () => {
    const [slow, up] = [await stage.server({ handler: hang() }), await stage.server()];
    const { client } = await stage.warm([slow, up], { retry: { maxAttempts: 3, backoff: PAUSE } });
    const options = callOptions({ idempotent: true, timeoutMs: 600 });

    const results = await Promise.all([unary(client, "a", options), unary(client, "b", options)]);

    expect(endings(results)).toEqual({ OK: 2 });
  });
});
