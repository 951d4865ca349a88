import { status } from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { fail, hang, ok, unary, unavailable } from "../support/counting-server.js";
import { endings, failureOf, type Hardened, Stage } from "../support/stage.js";

const stage = new Stage();
const idempotent = callOptions({ idempotent: true });
const OPTIONS = {
  breaker: false as const,
  retry: {
    backoff: { kind: "fixed" as const, initialMs: 1 },
    throttle: { maxTokens: 10, tokenRatio: 0.5 },
  },
};

async function sequentially({ client }: Hardened, count: number) {
  const results = [];
  for (let call = 0; call < count; call++) results.push(await unary(client, "x", idempotent));
  return results;
}

describe("a long outage", () => {
  it("stops being answered with retries: after the bucket is half empty each call is one attempt (R29, R30)", async () => {
    const server = await stage.server({ handler: unavailable() });
    const hardened = stage.harden([server], OPTIONS);

    const results = await sequentially(hardened, 50);

    // Of 10 tokens retries may use those above 5: three attempts of the first call, two of the second, then no more.
    expect(server.executions.Unary).toBe(3 + 2 + 48);
    expect(endings(results)).toEqual({ "UNAVAILABLE REMOTE maybe": 50 });
    expect(hardened.channel.stats().throttle).toEqual({ tokens: 0, maxTokens: 10 });
  });

  it("shows in the trail why no further attempt was made", async () => {
    const server = await stage.server({ handler: unavailable() });
    const hardened = stage.harden([server], OPTIONS);

    const results = await sequentially(hardened, 5);

    const error = failureOf(results.at(-1)!);
    expect(error).toMatchObject({ code: status.UNAVAILABLE, details: "scripted", reason: "REMOTE" });
    expect(error.attempts.length).toBe(1);
    expect(error.attempts[0]?.next).toMatch(/the retry throttle is at \d+ of 10 tokens/);
  });

  it("tells of it once retries stop", async () => {
    const server = await stage.server({ handler: unavailable() });
    const hardened = stage.harden([server], OPTIONS);

    await sequentially(hardened, 5);

    expect(hardened.events.count("throttle.exhausted")).toBeGreaterThan(0);
  });

  it("is over for retries, too, once calls succeed again (R28)", async () => {
    const server = await stage.server({ handler: unavailable() });
    const hardened = stage.harden([server], OPTIONS);
    await sequentially(hardened, 20);

    server.unary = ok("back");
    await sequentially(hardened, 14);
    server.script([unavailable(), ok("second")]);
    const results = await sequentially(hardened, 1);

    expect(endings(results)).toEqual({ OK: 1 });
  });

  it("is bounded for two channels to one target together (R27, R31)", async () => {
    const server = await stage.server({ handler: unavailable() });
    const [first, second] = [stage.harden([server], OPTIONS), stage.harden([server], OPTIONS)];

    await sequentially(first, 20);
    const before = server.executions.Unary;
    await sequentially(second, 5);

    expect(server.executions.Unary - before).toBe(5);
  });
});

describe("failures that may not be retried", () => {
  it("take nothing from the throttle", async () => {
    const server = await stage.server({ handler: unavailable() });
    const { client, channel } = stage.harden([server], OPTIONS);

    for (let call = 0; call < 20; call++) await unary(client, "x");
    server.unary = fail(status.INVALID_ARGUMENT);
    for (let call = 0; call < 20; call++) await unary(client, "x", idempotent);

    expect(channel.stats().throttle).toEqual({ tokens: 10, maxTokens: 10 });
  });
});

describe("one connection lost with twenty idempotent calls in flight", () => {
  it("counts once against the throttle and once against the breaker, and every call succeeds elsewhere (R178)", async () => {
    const [dying, up] = [await stage.proxied({ handler: hang() }), await stage.server()];
    const { client, channel, events } = stage.harden([dying, up], {
      loadBalancing: "pick_first",
      breaker: { consecutiveFailures: 2 },
      retry: { ...OPTIONS.retry, throttle: { maxTokens: 10, tokenRatio: 0.001 } },
    });
    const calls = Array.from({ length: 20 }, () => unary(client, "x", idempotent));
    await dying.server.received(20);

    await dying.proxy.refuse();
    dying.proxy.resetAll();
    const results = await Promise.all(calls);

    expect(endings(results)).toEqual({ OK: 20 });
    expect(events.of("connection.lost")).toMatchObject([{ callsInFlight: 20 }]);
    expect(events.count("breaker.state")).toBe(0);
    expect(channel.stats().throttle?.tokens).toBeCloseTo(10 - 1 + 20 * 0.001);
  });
});
