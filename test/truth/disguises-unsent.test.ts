import { promises as dns } from "node:dns";
import { credentials, Metadata, status } from "@grpc/grpc-js";
import { callOptions, type FailureReport, harden } from "holdfast";
import { describe, expect, it, vi } from "vitest";
import { type CallResult, type CounterClient, unary } from "../support/counting-server.js";
import { turns } from "../support/event-loop.js";
import { acceptOnly } from "../support/silent-server.js";
import { failureOf, Stage } from "../support/stage.js";
import { secureServer } from "../support/tls-server.js";
import { OpenedStreams } from "../support/truth-streams.js";

const stage = new Stage();
const { UNAVAILABLE, INTERNAL, DEADLINE_EXCEEDED } = status;
const AT_ONCE = { retry: { backoff: { kind: "immediate" }, throttle: false } } as const;

/** A hardened stub that keeps its own grpc-js channel. */
function overOwnChannel(target: string, options: object = {}): CounterClient {
  const insecure = credentials.createInsecure();
  return harden(
    stage.bareWith(target, insecure, { "grpc.initial_reconnect_backoff_ms": 100, ...options }),
    AT_ONCE,
  );
}

function firstAttempt(result: CallResult): FailureReport["attempts"][number] {
  const error = failureOf(result);
  expect(error.processed).toBe("no");
  return error.attempts[0]!;
}

/** Rows of the table whose calls never left the client: they are retried without being idempotent. */
describe("a call of which grpc-js opened no stream", () => {
  it('"Failed to start HTTP/2 stream ... header": is final where its credentials give an illegal header', async () => {
    const { server, secure } = await secureServer(stage);
    const { client } = await stage.warm([server], secure);
    const poison = credentials.createFromMetadataGenerator((_params, done) => {
      const metadata = new Metadata();
      metadata.set("connection", "keep-alive");
      done(null, metadata);
    });

    const attempt = firstAttempt(await unary(client, "x", { credentials: poison }));

    expect(attempt.details).toMatch(/^Failed to start HTTP\/2 stream with error .*header/i);
    expect(attempt).toMatchObject({ code: INTERNAL, reason: "METADATA_INVALID" });
    expect(server.executions.Unary).toBe(0);
  });

  it('"Getting metadata from plugin failed": is final where its credentials fail', async () => {
    const { server, secure } = await secureServer(stage);
    const { client } = await stage.warm([server], secure);
    const broken = credentials.createFromMetadataGenerator((_params, done) => done(new Error("no token")));

    const attempt = firstAttempt(await unary(client, "x", { credentials: broken }));

    expect(attempt).toMatchObject({ reason: "METADATA_INVALID" });
    expect(attempt.details).toContain("Getting metadata from plugin failed");
    expect(server.executions.Unary).toBe(0);
  });

  it('"authorization" twice: is final where credentials add a second one', async () => {
    const { server, secure } = await secureServer(stage);
    const { client } = await stage.warm([server], secure);
    const second = credentials.createFromMetadataGenerator((_params, done) => {
      const metadata = new Metadata();
      metadata.set("authorization", "b");
      done(null, metadata);
    });
    const metadata = new Metadata();
    metadata.set("authorization", "a");

    const result = await unary(client, "x", { metadata, credentials: second });
    await turns(20);

    expect(firstAttempt(result)).toMatchObject({ code: INTERNAL, reason: "METADATA_INVALID" });
    expect(server.executions.Unary).toBe(0);
  });

  it('"Failed to start HTTP/2 stream": is repeated elsewhere (request() is made to throw: grpc-js drops a session that is over, so this needs a race)', async () => {
    const server = await stage.server();
    const { client, events } = await stage.warm([server], { reconnectBackoff: { initialMs: 10 } });
    const streams = stage.use(new OpenedStreams());
    streams.failNext(new Error("The session has been destroyed"));

    const result = await unary(client, "x");

    expect(result).toEqual({ ok: true, text: "x" });
    expect(events.of("call.retry")).toMatchObject([{ kind: "transparent", reason: "CONNECTION_LOST" }]);
    expect(server.executions.Unary).toBe(1);
  });

  it('"No connection established": is retried by policy over a stub\'s own channel', async () => {
    const server = await stage.server();
    await server.stop();

    const attempt = firstAttempt(await unary(overOwnChannel(server.address), "x"));

    expect(attempt.details).toMatch(/^No connection established/);
    expect(attempt).toMatchObject({ code: UNAVAILABLE, reason: "DIAL_FAILED", origin: "local" });
  });

  it('"Channel closed before call started": ends with the stub\'s own channel', async () => {
    const silent = stage.use(await acceptOnly());
    const plain = stage.bareWith(silent.address, credentials.createInsecure());
    const result = unary(harden(plain, AT_ONCE), "x");
    await silent.accepted();

    plain.close();

    expect(firstAttempt(await result).details).toBe("Channel closed before call started");
  });

  it.each([
    ["dns:no-such-host.invalid:1", /^Name resolution failed for target/],
    ["ipv4:no-address:1", /^Failed to parse ipv4 address/],
  ])(
    "%s: is retried by policy while a stub's own channel cannot resolve its target",
    async (target, text) => {
      const error = failureOf(await unary(overOwnChannel(target), "x"));

      expect(error.attempts[0]?.details).toMatch(text);
      expect(error).toMatchObject({ code: UNAVAILABLE, processed: "no", origin: "local" });
      expect(error.attempts.map(({ reason }) => reason)).toEqual(Array(3).fill("DIAL_FAILED"));
    },
  );

  it('"waiting for name resolution": no server has it when its name is not found in time', async () => {
    // A name server that never answers.
    const lookup = vi.spyOn(dns, "lookup").mockReturnValue(new Promise(() => {}) as never);
    stage.use({ close: () => lookup.mockRestore() });

    const result = await unary(overOwnChannel("dns:localhost:1"), "x", callOptions({ timeoutMs: 200 }));

    expect(firstAttempt(result)).toMatchObject({ code: DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED" });
    expect(failureOf(result).attempts[0]?.details).toMatch(/waiting for name resolution$/);
  });

  it('"Waiting for LB pick": no server has it when no connection stands in time', async () => {
    const silent = stage.use(await acceptOnly());

    const result = await unary(overOwnChannel(silent.address), "x", callOptions({ timeoutMs: 200 }));

    expect(firstAttempt(result)).toMatchObject({ code: DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED" });
    expect(failureOf(result).attempts[0]?.details).toMatch(/Waiting for LB pick$/);
  });
});
