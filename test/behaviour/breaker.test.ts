import { status } from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { type CallResult, fail, hang, ok, unary, unavailable } from "../support/counting-server.js";
import { endings, failureOf, type Hardened, Stage } from "../support/stage.js";

const stage = new Stage();
const once = callOptions({ retry: false });

async function sequentially({ client }: Hardened, count: number): Promise<CallResult[]> {
  const results: CallResult[] = [];
  for (let call = 0; call < count; call++) results.push(await unary(client, "x", once));
  return results;
}

/** Calls, without waiting for answers that may not come, until the breaker lets a probe through. */
async function callUntilProbed({ client, events }: Hardened): Promise<void> {
  const halfOpen = events.first("breaker.state", { to: "half-open" });
  while (events.count("breaker.state", { to: "half-open" }) === 0) {
    await Promise.race([unary(client, "x", once), halfOpen]);
  }
}

describe("one of two endpoints answers UNAVAILABLE", () => {
  it("is left alone after five failures in a row, and the other one is not touched (R104)", async () => {
    const [bad, good] = [await stage.server({ handler: unavailable() }), await stage.server()];
    const hardened = await stage.warm([bad, good]);

    const before = await sequentially(hardened, 10);
    const after = await sequentially(hardened, 10);

    expect(endings(before)).toEqual({ OK: 5, "UNAVAILABLE REMOTE maybe": 5 });
    expect(endings(after)).toEqual({ OK: 10 });
    expect([bad.executions.Unary, good.executions.Unary]).toEqual([5, 15]);
    expect(hardened.events.of("breaker.state")).toMatchObject([
      { endpoint: bad.address, from: "closed", to: "open" },
    ]);
    expect(hardened.channel.endpoints().map(({ breaker }) => breaker)).toEqual(["open", "closed"]);
  });

  it("gets exactly one probe while other calls go elsewhere, and is used again when that succeeds", async () => {
    const [bad, good] = [await stage.server({ handler: unavailable() }), await stage.server()];
    const hardened = await stage.warm([bad, good], { breaker: { openMs: 30, consecutiveFailures: 2 } });
    await sequentially(hardened, 4);
    let answer = (): void => {};
    bad.unary = (call, callback) => {
      answer = () => callback(null, call.request);
    };

    await callUntilProbed(hardened);
    await bad.received(3);
    const during = await Promise.all(Array.from({ length: 50 }, () => unary(hardened.client, "x", once)));
    const executions = bad.executions.Unary;
    answer();
    await hardened.events.first("breaker.state", { to: "closed" });
    bad.unary = ok("back");
    const after = await sequentially(hardened, 4);

    expect(endings(during)).toEqual({ OK: 50 });
    expect(executions).toBe(3);
    expect(endings(after)).toEqual({ OK: 4 });
    expect(bad.executions.Unary).toBe(5);
  });

  it("is left alone for longer after a failed probe", async () => {
    const [bad, good] = [await stage.server({ handler: unavailable() }), await stage.server()];
    const hardened = await stage.warm([bad, good], { breaker: { openMs: 20, consecutiveFailures: 2 } });
    await sequentially(hardened, 4);

    await callUntilProbed(hardened);
    const reopened = await hardened.events.first("breaker.state", { from: "half-open", to: "open" });

    expect(bad.executions.Unary).toBe(3);
    // 40 ms give or take a fifth, after 20 the first time.
    expect(reopened.retryInMs).toBeGreaterThanOrEqual(32);
  });

  it("takes the calls again at once when it comes back with a fresh connection", async () => {
    const [bad, good] = [await stage.server({ handler: unavailable() }), await stage.server()];
    const hardened = await stage.warm([bad, good], { reconnectBackoff: { initialMs: 10, maxMs: 10 } });
    await sequentially(hardened, 10);

    bad.unary = ok("fixed");
    await bad.restart();
    await hardened.events.nth(2, "endpoint.state", { endpoint: bad.address, to: "READY" });
    const results = await sequentially(hardened, 4);

    expect(endings(results)).toEqual({ OK: 4 });
    expect(hardened.events.of("breaker.state").map(({ to }) => to)).toEqual(["open", "half-open", "closed"]);
  });
});

describe("an endpoint answers with errors of the application", () => {
  it("stays in use through a hundred NOT_FOUND", async () => {
    const server = await stage.server({ handler: fail(status.NOT_FOUND, "no such key") });
    const hardened = await stage.warm([server]);

    const results = await sequentially(hardened, 100);

    expect(endings(results)).toEqual({ "NOT_FOUND REMOTE maybe": 100 });
    expect(server.executions.Unary).toBe(100);
    expect(hardened.events.count("breaker.state")).toBe(0);
  });

  it("stays in use when callers give up on it", async () => {
    const server = await stage.server({ handler: hang() });
    const { client, channel } = await stage.warm([server], { breaker: { consecutiveFailures: 1 } });

    const given = Array.from({ length: 5 }, () => {
      const controller = new AbortController();
      return { controller, result: unary(client, "x", callOptions({ signal: controller.signal })) };
    });
    await server.received(5);
    for (const { controller } of given) controller.abort();
    await Promise.all(given.map(({ result }) => result));

    expect(channel.endpoints()[0]).toMatchObject({ breaker: "closed", callsInFlight: 0 });
  });
});

describe("the only endpoint answers UNAVAILABLE", () => {
  it("is left alone altogether: calls fail at once, unsent, and say when the next probe is due (R104)", async () => {
    const server = await stage.server({ handler: unavailable() });
    const hardened = await stage.warm([server]);
    await sequentially(hardened, 5);

    const error = failureOf(await unary(hardened.client, "x", once));

    expect(error).toMatchObject({ code: status.UNAVAILABLE, reason: "CIRCUIT_OPEN", processed: "no" });
    expect(error.details).toMatch(/circuit breaker is open for .*next probe in \d+ ms/);
    expect(error.details).toContain(server.address);
    expect(server.executions.Unary).toBe(5);
  });

  it("says so at once also where the call may be retried, and takes nothing from the throttle", async () => {
    const server = await stage.server({ handler: unavailable() });
    const hardened = await stage.warm([server]);
    await sequentially(hardened, 5);

    const error = failureOf(await unary(hardened.client, "x", callOptions({ idempotent: true })));

    expect(error).toMatchObject({ code: status.UNAVAILABLE, reason: "CIRCUIT_OPEN", processed: "no" });
    expect(error.attempts.length).toBe(1);
    expect(hardened.channel.stats().calls.retries).toBe(0);
    expect(hardened.channel.stats().throttle?.tokens).toBe(20);
  });
});

describe("with breaker: false", () => {
  it("an endpoint is never left alone", async () => {
    const server = await stage.server({ handler: unavailable() });
    const hardened = await stage.warm([server], { breaker: false });

    const results = await sequentially(hardened, 20);

    expect(endings(results)).toEqual({ "UNAVAILABLE REMOTE maybe": 20 });
  });
});
