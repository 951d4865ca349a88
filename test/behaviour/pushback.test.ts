import { status } from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { ok, unary, unavailable } from "../support/counting-server.js";
import { respondOk, respondTrailersOnly } from "../support/raw-http2-server.js";
import { failureOf, Stage } from "../support/stage.js";

const stage = new Stage();
const NEVER_MS = 600_000;
const idempotent = callOptions({ idempotent: true });
/** The channel's own backoff would outlast the test: a retry that comes has come for the server's word. */
const SLOW = { retry: { backoff: { kind: "fixed" as const, initialMs: NEVER_MS, maxMs: NEVER_MS } } };

describe("a server that says when to come back", () => {
  it("gets the next attempt then, whatever the backoff says (R23, R25)", async () => {
    const server = await stage.server();
    server.script([unavailable({ pushbackMs: 30 }), ok("after the wait")]);
    const { client, events } = stage.harden([server], SLOW);

    const result = await unary(client, "x", idempotent);

    expect(result).toEqual({ ok: true, text: "after the wait" });
    expect(events.of("call.retry")).toMatchObject([{ delayMs: 30, kind: "policy" }]);
  });

  it("gets no further attempt when it says not to come back (R24, R28)", async () => {
    const server = await stage.server({ handler: unavailable({ pushbackMs: -1 }) });
    const { client, channel } = stage.harden([server], { retry: { backoff: { kind: "immediate" } } });

    const error = failureOf(await unary(client, "x", idempotent));

    expect(error).toMatchObject({ code: status.UNAVAILABLE, reason: "REMOTE" });
    expect(error.attempts[0]?.next).toContain("pushback");
    expect([server.executions.Unary, channel.stats().throttle?.tokens]).toEqual([1, 19]);
  });

  it("gets no more attempts than maxAttempts for it (R25)", async () => {
    const server = await stage.server({ handler: unavailable({ pushbackMs: 1 }) });
    const { client } = stage.harden([server], SLOW);

    await unary(client, "x", idempotent);

    expect(server.executions.Unary).toBe(3);
  });

  it("is left alone when its word cannot be read, where a bare retryPolicy comes back at once (R24)", async () => {
    const raw = await stage.raw(({ stream, index }) => {
      const pushback = { "grpc-retry-pushback-ms": "soon" };
      if (index === 2) respondOk(stream);
      else respondTrailersOnly(stream, status.UNAVAILABLE, "scripted", pushback);
    });
    const { client } = stage.harden([raw], { retry: { backoff: { kind: "immediate" } } });
    const policy = {
      maxAttempts: 2,
      initialBackoff: "600s",
      maxBackoff: "600s",
      backoffMultiplier: 1,
      retryableStatusCodes: ["UNAVAILABLE"],
    };
    const bare = stage.bare([raw], { methodConfig: [{ name: [{}], retryPolicy: policy }] });

    failureOf(await unary(client, "x", idempotent));
    const streams = raw.streamsStarted;
    await unary(bare, "x");

    expect(streams).toBe(1);
    expect(raw.streamsStarted).toBe(2);
  });
});
