import { status } from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import {
  type CallResult,
  type CounterClient,
  type CountingServer,
  collect,
  hang,
  ok,
  unary,
  unavailable,
} from "../support/counting-server.js";
import { until } from "../support/event-loop.js";
import { ending, failureOf, Stage } from "../support/stage.js";

const stage = new Stage();
const METHODS = { "holdfast.test.Counter": { idempotent: true } };
const HEDGED = { methods: METHODS, hedging: { maxAttempts: 2, delayMs: 20 } };

/** One server that never answers and one that does, both connected. */
async function slowAndFast(options: object = HEDGED) {
  const slow = await stage.server({ handler: hang() });
  const fast = await stage.server({ handler: ok("fast") });
  return { slow, fast, ...(await stage.warm([slow, fast], options)) };
}

/** Which server a call begins at is the picker's choice. */
async function callUntilReached(server: CountingServer, client: CounterClient): Promise<CallResult[]> {
  const results: CallResult[] = [];
  while (server.executions.Unary === 0) results.push(await unary(client, "x"));
  return results;
}

const executions = (...servers: CountingServer[]) =>
  servers.reduce((sum, server) => sum + server.executions.Unary, 0);

describe("a hedged call over a slow and a fast server", () => {
  it("is answered by the fast one, and the slow one hears that nobody waits any more (R35)", async () => {
    const { slow, fast, client, channel } = await slowAndFast();

    const results = await callUntilReached(slow, client);

    expect(results).toEqual(results.map(() => ({ ok: true, text: "fast" })));
    await until(() => slow.calls.every(({ isCancelled }) => isCancelled), "the cancels at the slow server");
    expect(fast.executions.Unary).toBe(results.length);
    // More than one where the fast server was not so fast on this machine.
    expect(channel.stats().calls.hedges).toBeGreaterThanOrEqual(1);
    expect(channel.stats().calls).toMatchObject({ succeeded: results.length, failed: 0 });
  });

  it("tells the second server that an attempt came before, on the wire (R42)", async () => {
    const { slow, fast, client } = await slowAndFast({ ...HEDGED, hedging: { maxAttempts: 2, delayMs: 0 } });

    for (let n = 0; n < 5; n++) await unary(client, "x");
    await slow.received(5);

    const earlier = [...slow.calls, ...fast.calls].map(({ previousAttempts }) => previousAttempts);
    expect(earlier.sort()).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
  });

  it("runs on each server at most once (R40)", async () => {
    const { slow, fast, client } = await slowAndFast({
      ...HEDGED,
      hedging: { maxAttempts: 2, delayMs: 0 },
    });

    for (let n = 0; n < 10; n++) await unary(client, "x");
    await slow.received(10);

    expect([slow.executions.Unary, fast.executions.Unary]).toEqual([10, 10]);
  });

  it("leaves the slow server's breaker closed and its connection unsuspected, however often it loses (R41)", async () => {
    const { slow, client, channel } = await slowAndFast({ ...HEDGED, breaker: { consecutiveFailures: 2 } });

    while (slow.executions.Unary < 10) await unary(client, "x");

    for (const endpoint of channel.endpoints()) {
      expect(endpoint).toMatchObject({ breaker: "closed", isSuspect: false, state: "READY" });
    }
  });

  it("is not hedged at all where its method is not declared idempotent (R40)", async () => {
    const { slow, fast, client } = await slowAndFast({ hedging: HEDGED.hedging });

    const results: CallResult[] = [];
    while (slow.executions.Unary === 0) {
      results.push(await unary(client, "x", callOptions({ timeoutMs: 150 })));
    }

    expect(ending(results.at(-1) as CallResult)).toBe("DEADLINE_EXCEEDED DEADLINE_EXCEEDED maybe");
    expect(executions(slow, fast)).toBe(results.length);
  });

  it("sends its stream of requests to both, and both see its end (R38)", async () => {
    const silent = await stage.server();
    const texts: string[] = [];
    silent.clientStream = (call) => void call.on("data", (message) => texts.push(String(message)));
    const fast = await stage.server();
    const { client } = await stage.warm([silent, fast], {
      ...HEDGED,
      hedging: { maxAttempts: 2, delayMs: 0 },
    });

    const answer = new Promise<string>((resolve, reject) => {
      const call = client.clientStream((error, reply) => (error ? reject(error) : resolve(String(reply))));
      for (const text of ["a", "b", "c"]) call.write(Buffer.from(text));
      // Both have it all before either can answer.
      void until(() => texts.length === 3, "the messages at the silent server").then(() => call.end());
    });

    expect(await answer).toBe("a,b,c");
    expect(texts).toEqual(["a", "b", "c"]);
  });

  it("reads its stream of answers from one server alone (R35)", async () => {
    const [one, two] = [await stage.server(), await stage.server()];
    const { client } = await stage.warm([one, two], { ...HEDGED, hedging: { maxAttempts: 2, delayMs: 0 } });

    const { texts, status: end } = await collect(client.serverStream(Buffer.from("1,2,3,4,5")));

    expect(texts).toEqual(["1", "2", "3", "4", "5"]);
    expect(end.code).toBe(status.OK);
    expect(one.executions.ServerStream + two.executions.ServerStream).toBe(2);
  });
});

describe("a hedged call whose first server is overloaded", () => {
  it("goes to the other at once, whatever its delay (R33)", async () => {
    const busy = await stage.server({ handler: unavailable() });
    const fast = await stage.server({ handler: ok("fast") });
    const { client } = await stage.warm([busy, fast], {
      ...HEDGED,
      hedging: { maxAttempts: 2, delayMs: 600_000 },
    });

    const results = await callUntilReached(busy, client);

    expect(results).toEqual(results.map(() => ({ ok: true, text: "fast" })));
    expect(busy.executions.Unary).toBe(1);
  });

  it("fails with the last failure when all servers are (R36)", async () => {
    const servers = [
      await stage.server({ handler: unavailable() }),
      await stage.server({ handler: unavailable() }),
    ];
    const { client } = await stage.warm(servers, HEDGED);

    const error = failureOf(await unary(client, "x"));

    expect(error).toMatchObject({ code: status.UNAVAILABLE, reason: "REMOTE" });
    expect(error.attempts).toHaveLength(2);
    expect(executions(...servers)).toBe(2);
  });
});

describe("with delayMs p95", () => {
  it("hedges few of many calls once it knows how long the method takes, and still saves those that hang (R32)", async () => {
    const [one, two] = [await stage.server(), await stage.server()];
    const { client, channel } = await stage.warm([one, two], {
      methods: METHODS,
      hedging: { maxAttempts: 2, delayMs: "p95" as const, initialDelayMs: 5_000 },
    });
    for (let n = 0; n < 100; n++) expect(ending(await unary(client, "x"))).toBe("OK");
    const before = channel.stats().calls.hedges;

    one.unary = hang();
    const hung = one.executions.Unary;
    while (one.executions.Unary === hung) expect(ending(await unary(client, "x"))).toBe("OK");

    expect(before).toBeLessThan(50);
    expect(channel.stats().calls.hedges).toBeGreaterThan(before);
  });
});
