import * as grpc from "@grpc/grpc-js";
import { type CallSettings, callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { type CallResult, unary } from "../support/counter-service.js";
import { hang, ok, unavailable } from "../support/counting-server.js";
import { failureOf, Stage } from "../support/stage.js";

const stage = new Stage();
const QUICK = { retry: { backoff: { kind: "immediate" }, throttle: false } } as const;

/** What `unary` gives with call options that are ours, and no deadline of its own. */
function callWith(client: Parameters<typeof unary>[0], options: grpc.CallOptions): Promise<CallResult> {
  return unary(client, "a", options);
}

/** One server, and a client that is connected to it: no short deadline ends in the dial. */
async function oneServer() {
  const server = await stage.server();
  return { server, ...(await stage.warm([server], QUICK)) };
}

describe("timeoutMs", () => {
  it("ends a call that takes longer", async () => {
    const { server, client } = await oneServer();
    server.script([hang()]);
    const startedAt = performance.now();

    const failure = failureOf(await callWith(client, callOptions({ timeoutMs: 40 })));

    expect(failure).toMatchObject({ code: grpc.status.DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED" });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(39);
  });

  it("counts from each call when the options are made once and used again", async () => {
    const { server, client } = await oneServer();
    server.script([hang(), ok("second")]);
    const options = callOptions({ timeoutMs: 150 });

    const first = await callWith(client, options);
    const second = await callWith(client, options);

    expect(failureOf(first).code).toBe(grpc.status.DEADLINE_EXCEEDED);
    expect(second).toEqual({ ok: true, text: "second" });
  });

  it("reaches the server, so that it need not work on for nobody", async () => {
    const { server, client } = await oneServer();
    const before = Date.now();

    await callWith(client, callOptions({ timeoutMs: 5_000 }));

    const deadline = Number(server.calls[0]!.deadline);
    expect(deadline).toBeGreaterThan(before + 4_000);
    expect(deadline).toBeLessThanOrEqual(Date.now() + 5_001);
  });

  it("covers all attempts of a call together (R12)", async () => {
    const { server, client, channel } = await oneServer();
    server.unary = unavailable();
    const retry = { maxAttempts: 5, backoff: { kind: "fixed", initialMs: 60_000, jitter: "none" } } as const;

    const failure = failureOf(
      await callWith(client, callOptions({ timeoutMs: 80, idempotent: true, retry })),
    );

    expect(failure).toMatchObject({ code: grpc.status.DEADLINE_EXCEEDED, attempts: [{ attempt: 1 }] });
    expect(channel.stats().callsInFlight).toBe(0);
  });
});

describe("deadline", () => {
  it.each([
    ["a Date", (epochMs: number) => new Date(epochMs)],
    ["epoch milliseconds", (epochMs: number) => epochMs],
  ])("is an instant given as %s", async (_what, deadlineOf) => {
    const { server, client } = await oneServer();
    const deadline = deadlineOf(Date.now() + 7_000);

    await callWith(client, callOptions({ deadline }));

    expect(Number(server.calls[0]!.deadline) - Number(deadline)).toBeGreaterThan(-1_000);
    expect(Number(server.calls[0]!.deadline) - Number(deadline)).toBeLessThan(1_000);
  });

  it("that has passed keeps the call from being sent", async () => {
    const { server, client } = await oneServer();

    const failure = failureOf(await callWith(client, callOptions({ deadline: Date.now() - 10 })));

    expect(failure).toMatchObject({ code: grpc.status.DEADLINE_EXCEEDED, processed: "no", attempts: [] });
    expect(server.executions.Unary).toBe(0);
  });
});

describe("idempotent", () => {
  it("lets a call be repeated that a server may have run", async () => {
    const { server, client } = await oneServer();
    server.script([unavailable(), ok("second")]);

    const result = await callWith(client, callOptions({ idempotent: true }));

    expect(result).toEqual({ ok: true, text: "second" });
    expect(server.calls.map((call) => call.previousAttempts)).toEqual([0, 1]);
  });

  it("false keeps a call from being repeated whose method is safe", async () => {
    const server = await stage.server();
    const methods = { "holdfast.test.Counter": { idempotent: true } };
    const { client } = stage.harden([server], { ...QUICK, methods });
    server.script([unavailable(), ok("second")]);

    const failure = failureOf(await callWith(client, callOptions({ idempotent: false })));

    expect(failure).toMatchObject({ code: grpc.status.UNAVAILABLE, reason: "REMOTE" });
  });
});

describe("waitForReady", () => {
  const eager = { ...QUICK, reconnectBackoff: { initialMs: 20, jitterRatio: 0 } };

  it("waits for an endpoint that is down", async () => {
    const { proxy, address } = await stage.proxied();
    await proxy.refuse();
    const { client, events } = stage.harden([{ address }], eager);

    const waiting = callWith(client, callOptions({ waitForReady: true, timeoutMs: 5_000 }));
    await events.first("endpoint.state", { to: "TRANSIENT_FAILURE" });
    await proxy.pass();

    expect(await waiting).toEqual({ ok: true, text: "a" });
  });

  it("false fails at once on a channel that waits by default", async () => {
    const { proxy, address } = await stage.proxied();
    await proxy.refuse();
    const { client } = stage.harden([{ address }], { ...eager, waitForReady: true });

    const failure = failureOf(await callWith(client, callOptions({ waitForReady: false })));

    expect(failure).toMatchObject({ code: grpc.status.UNAVAILABLE, processed: "no" });
  });
});

describe("retry", () => {
  const idempotent = true;
  const cases: readonly (readonly [string, CallSettings["retry"], number])[] = [
    ["false makes one attempt", false, 1],
    ["maxAttempts 2 makes two attempts", { maxAttempts: 2 }, 2],
    ["maxAttempts 5 makes five attempts", { maxAttempts: 5 }, 5],
    ["maxAttempts 20 makes as many as the channel's maxAttemptsLimit", { maxAttempts: 20 }, 5],
    ["other retryableCodes replace the method's", { retryableCodes: ["ABORTED"] }, 1],
    ["an empty change leaves what the method has", {}, 3],
  ];

  it.each(cases)("%s", async (_what, retry, attempts) => {
    const { server, client } = await oneServer();
    server.unary = unavailable();

    const failure = failureOf(await callWith(client, callOptions({ idempotent, retry })));

    expect(failure.attempts).toHaveLength(attempts);
    expect(server.executions.Unary).toBe(attempts);
  });

  it("changes only the parts of the backoff that it names", async () => {
    const server = await stage.server();
    const backoff = { kind: "fixed", initialMs: 60_000, jitter: "none" } as const;
    const { client } = stage.harden([server], { retry: { backoff, throttle: false } });
    server.script([unavailable(), ok("second")]);

    const retry = { backoff: { initialMs: 1 } };
    const result = await callWith(client, callOptions({ idempotent, retry, timeoutMs: 5_000 }));

    expect(result).toEqual({ ok: true, text: "second" });
  });
});

describe("on its way through interceptors", () => {
  const passing: grpc.Interceptor = (options, nextCall) =>
    new grpc.InterceptingCall(nextCall({ ...options, host: "service.test" }));
  const replacing: grpc.Interceptor = (options, nextCall) =>
    new grpc.InterceptingCall(nextCall({ ...options, deadline: Date.now() + 10_000 }));

  it("keeps what callOptions says when an interceptor copies the options", async () => {
    const { server, client } = await oneServer();
    server.script([unavailable(), ok("second")]);

    const options = { ...callOptions({ idempotent: true }), interceptors: [passing, passing] };
    const result = await callWith(client, options);

    expect(result).toEqual({ ok: true, text: "second" });
  });

  it("loses all of it when an interceptor replaces the deadline, as the documentation says", async () => {
    const { server, client } = await oneServer();
    server.script([unavailable(), ok("second")]);

    const options = { ...callOptions({ idempotent: true }), interceptors: [replacing] };
    const failure = failureOf(await callWith(client, options));

    expect(failure).toMatchObject({ code: grpc.status.UNAVAILABLE, reason: "REMOTE" });
    expect(server.executions.Unary).toBe(1);
  });
});

it("is harmless on a plain grpc-js client, which takes the same deadline from it", async () => {
  const server = await stage.server();
  const client = stage.bare([server]);
  const before = Date.now();

  const result = await callWith(client, callOptions({ timeoutMs: 5_000, idempotent: true }));

  expect(result).toEqual({ ok: true, text: "a" });
  expect(Number(server.calls[0]!.deadline) - before).toBeLessThan(6_000);
});
