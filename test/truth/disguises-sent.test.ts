import { credentials, status } from "@grpc/grpc-js";
import { callOptions, type FailureReport, harden } from "holdfast";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/index.js";
import { ClientSockets } from "../support/client-sockets.js";
import { type CallResult, type CounterClient, hang, unary } from "../support/counting-server.js";
import { turns } from "../support/event-loop.js";
import { goaway } from "../support/raw-http2-server.js";
import { failureOf, Stage } from "../support/stage.js";

const stage = new Stage();
const { UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED } = status;
const AT_ONCE = { retry: { backoff: { kind: "immediate" }, throttle: false } } as const;
/** Its readings are older than grpc-js's, as after a turn of the event loop that took long. */
const lateClock = { ...systemClock, epoch: () => systemClock.epoch() - 1_000 };

function overOwnChannel(target: string, options: object = {}): CounterClient {
  return harden(stage.bareWith(target, credentials.createInsecure(), options), AT_ONCE);
}

/** grpc-js's own retry, beneath ours. */
const RETRY_BENEATH = {
  "grpc.service_config_disable_resolution": 1,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.service_config": JSON.stringify({
    methodConfig: [
      {
        name: [{}],
        retryPolicy: {
          maxAttempts: 2,
          initialBackoff: "0.01s",
          maxBackoff: "0.01s",
          backoffMultiplier: 1,
          retryableStatusCodes: ["UNAVAILABLE"],
        },
      },
    ],
  }),
};

function lastAttempt(result: CallResult, processed = "maybe"): FailureReport["attempts"][number] {
  const error = failureOf(result);
  expect(error.processed).toBe(processed);
  return error.attempts.at(-1)!;
}

/** Rows of the table whose streams were open: without a message nobody but the server knows whether it ran. */
describe("a call that a server may have run", () => {
  it('"Connection dropped": says so when its connection is closed in order', async () => {
    const { server, proxy, address } = await stage.proxied({ handler: hang() });
    const { client } = stage.harden([{ address }]);
    const result = unary(client, "x");
    await server.received();

    proxy.closeAll();

    expect(lastAttempt(await result)).toMatchObject({
      code: UNAVAILABLE,
      reason: "CONNECTION_LOST",
      details: "Connection dropped",
    });
  });

  it('"read ECONNRESET": says so when its connection is reset', async () => {
    const { server, proxy, address } = await stage.proxied({ handler: hang() });
    const { client } = stage.harden([{ address }]);
    const result = unary(client, "x");
    await server.received();

    proxy.resetAll();

    expect(lastAttempt(await result)).toMatchObject({
      code: UNAVAILABLE,
      reason: "CONNECTION_LOST",
      details: "read ECONNRESET",
    });
  });

  it('"Session closed with error code": says so when GOAWAY breaks off a running call', async () => {
    const raw = await stage.raw(({ session }) => goaway(session, 2));
    const { client } = stage.harden([raw]);

    const attempt = lastAttempt(await unary(client, "x"));

    expect(attempt).toMatchObject({ code: UNAVAILABLE, reason: "CONNECTION_LOST" });
    expect(attempt.details).toContain("Session closed with error code 2");
  });

  it('"triggered by internal client error": says so when its socket fails in another way (which is done to it here)', async () => {
    const server = await stage.server({ handler: hang() });
    const sockets = stage.use(new ClientSockets());
    const clients = [stage.harden([server], { retry: false }).client, overOwnChannel(server.address)];

    for (const [index, client] of clients.entries()) {
      const result = unary(client, "x");
      await server.received(index + 1);
      sockets.all.at(-1)?.destroy(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
      const attempt = lastAttempt(await result);
      expect(attempt).toMatchObject({ code: UNAVAILABLE, reason: "CONNECTION_LOST", origin: "local" });
      expect(attempt.details).toMatch(/triggered by internal client error: write EPIPE$/);
    }
  });

  it('"Deadline exceeded ... remote_addr": says so when the server does not answer in time', async () => {
    const server = await stage.server({ handler: hang() });
    const { client } = await stage.warm([server]);

    const attempt = lastAttempt(await unary(client, "x", callOptions({ timeoutMs: 100 })));

    expect(attempt).toMatchObject({ code: DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED" });
    expect(attempt.details).toContain(`remote_addr=${server.address}`);
    expect(server.executions.Unary).toBe(1);
  });

  it('"waiting for metadata filters": says so of a deadline that passed as it was sent, for it goes out all the same', async () => {
    const server = await stage.server();
    const { client } = stage.harden([server], {}, { clock: lateClock });
    await unary(client, "warm");

    const result = await unary(client, "x", callOptions({ timeoutMs: 500 }));
    await server.received(2);

    expect(lastAttempt(result).details).toMatch(/waiting for metadata filters$/);
  });

  it("runs a call that is not idempotent once, also when its attempt's time is over as it is sent", async () => {
    const server = await stage.server();
    const { client } = stage.harden([server], { ...AT_ONCE, attemptTimeoutMs: 500 }, { clock: lateClock });
    await unary(client, "warm", callOptions({ timeoutMs: 5_000, retry: false }));

    const result = await unary(client, "x", callOptions({ timeoutMs: 5_000 }));
    await turns(20);

    expect(lastAttempt(result).reason).toBe("ATTEMPT_TIMEOUT");
    expect(server.executions.Unary).toBe(2);
  });

  it('"previous attempts": says so when a stub\'s own channel had repeated it before the deadline', async () => {
    const { server, proxy, address } = await stage.proxied({ handler: hang() });
    const client = overOwnChannel(address, RETRY_BENEATH);
    const result = unary(client, "x", callOptions({ timeoutMs: 800 }));
    await server.received();

    await proxy.acceptThenSilence();
    proxy.closeAll();

    expect(lastAttempt(await result).details).toMatch(/previous attempts: 1,.*Waiting for LB pick$/);
  });

  it("says so when a stub's own channel had repeated it and then found no connection", async () => {
    const { server, proxy, address } = await stage.proxied({ handler: hang() });
    const client = overOwnChannel(address, RETRY_BENEATH);
    const result = unary(client, "x", callOptions({ retry: false }));
    await server.received();

    await proxy.refuse();
    proxy.closeAll();

    const attempt = lastAttempt(await result);
    expect(attempt.details).toMatch(/^No connection established/);
    expect(server.executions.Unary).toBe(1);
  });

  it('"Received message larger than max": is told of an answer over the limit', async () => {
    const server = await stage.server({ handler: (_call, callback) => callback(null, Buffer.alloc(100)) });
    const { client } = stage.harden([server], { maxReceiveMessageBytes: 50 });

    const attempt = lastAttempt(await unary(client, "x"));

    expect(attempt).toMatchObject({ code: RESOURCE_EXHAUSTED, reason: "MESSAGE_TOO_LARGE" });
    expect(attempt.details).toMatch(/^Received message larger than max/);
  });

  it('"Attempted to send message": is told of a request over the limit of a stub\'s own channel', async () => {
    const server = await stage.server();
    const client = overOwnChannel(server.address, { "grpc.max_send_message_length": 5 });

    const attempt = lastAttempt(await unary(client, "more than five"));

    expect(attempt).toMatchObject({ code: RESOURCE_EXHAUSTED, reason: "MESSAGE_TOO_LARGE" });
    expect(attempt.details).toMatch(/^Attempted to send message with a size larger than 5/);
  });

  it('"Call cancelled": says so when the server is forced down', async () => {
    const server = await stage.server({ handler: hang() });
    const { client } = await stage.warm([server]);
    const result = unary(client, "x");
    await server.received();

    await server.stop();

    expect(lastAttempt(await result)).toMatchObject({ code: UNAVAILABLE, reason: "CONNECTION_LOST" });
  });
});
