import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { collect, unary } from "../support/counting-server.js";
import { until } from "../support/event-loop.js";
import { EveryKind } from "../support/every-kind.js";
import { LoopbackClock } from "../support/loopback-clock.js";
import { ending, Stage } from "../support/stage.js";

const stage = new Stage();
/** No retry of any sort hides what a replacement does to a call. */
const once = callOptions({ retry: false, timeoutMs: 3_600_000 });
const AGE_MS = 10_000;

describe("connections that reach maxConnectionAgeMs", () => {
  it("are replaced one after the other, and no call of any kind fails or is repeated", async () => {
    const clock = new LoopbackClock();
    const { server, proxy, address } = await stage.proxied();
    const options = { maxConnectionAgeMs: AGE_MS, poolSize: 2 };
    const { client, channel, events } = stage.harden([{ address }], options, { clock });
    await channel.ready();

    const load = stage.use(new EveryKind(client, once));
    for (let second = 0; second < 60; second++) await clock.advance(1_000);
    const ends = await load.stop();

    expect(Object.keys(ends)).toEqual(["OK"]);
    expect([events.count("call.retry"), events.count("connection.lost")]).toEqual([0, 0]);
    expect(events.count("endpoint.state", { from: "READY" })).toBe(0);
    expect(server.executions.Unary).toBe((ends["OK"] ?? 0) / 4);
    expect(channel.endpoints()[0]?.connections).toBe(2);
    // Five generations at least, of two each: 60 s at 10 s and a tenth.
    expect(events.count("connection.draining", { cause: "age" })).toBeGreaterThanOrEqual(10);
    expect(proxy.connections).toBeGreaterThanOrEqual(12);
    await channel.close();
    await until(() => clock.pendingTimers === 0, "the end of every timer");
  });

  it("let a bidi stream of thousands of messages go on to its end, while calls go over the new connection", async () => {
    const clock = new LoopbackClock();
    const { server, proxy, address } = await stage.proxied();
    const options = { maxConnectionAgeMs: AGE_MS, drainMs: 3_600_000 };
    const { client, events } = stage.harden([{ address }], options, { clock });
    const stream = client.bidi(once);
    const result = collect(stream);
    const MESSAGES = 3_000;

    for (let message = 0; message < MESSAGES; message++) {
      stream.write(Buffer.from(String(message)));
      if (message % 100 === 0) await clock.advance(1_000);
    }
    const call = await unary(client, "meanwhile", once);
    stream.end();
    const { texts, status } = await result;

    expect(ending(status)).toBe("OK");
    expect(texts).toEqual(Array.from({ length: MESSAGES }, (_, message) => String(message)));
    expect(ending(call)).toBe("OK");
    expect(new Set(server.calls.map(({ peer }) => peer)).size).toBe(2);
    expect(events.count("connection.draining", { cause: "age" })).toBeGreaterThanOrEqual(1);
    expect(proxy.open).toBeLessThanOrEqual(2);
  });
});

describe("connections that have carried maxCallsPerConnection calls", () => {
  it("are replaced: three calls over each, and none fails", async () => {
    const server = await stage.server();
    const { client, events } = stage.harden([server], { maxCallsPerConnection: 3 });

    const results = [];
    for (let call = 1; call <= 12; call++) {
      results.push(ending(await unary(client, "x", once)));
      if (call % 3 === 0)
        await events.nth(call / 3, "connection.draining", { cause: "maxCallsPerConnection" });
    }

    const perPeer = [...server.peers].map((peer) => server.calls.filter((call) => call.peer === peer).length);
    expect(results).toEqual(Array(12).fill("OK"));
    expect(perPeer).toEqual([3, 3, 3, 3]);
  });

  it("fail no call of any kind, however fast they wear out", async () => {
    const server = await stage.server();
    const { client, events } = stage.harden([server], { maxCallsPerConnection: 3, poolSize: 2 });

    const load = stage.use(new EveryKind(client, once));
    await events.nth(20, "connection.draining", { cause: "maxCallsPerConnection" });
    const ends = await load.stop();

    expect(Object.keys(ends)).toEqual(["OK"]);
    expect([events.count("call.retry"), events.count("connection.lost")]).toEqual([0, 0]);
    expect(server.peers.size).toBeGreaterThanOrEqual(20);
  });
});

describe("endpoints that come and go in discovery", () => {
  it("fail no call of any kind, whichever of them runs there", async () => {
    const all = [await stage.server(), await stage.server(), await stage.server()];
    const addresses = all.map(({ address }) => address);
    const { client, channel, events } = await stage.warm(all);

    const load = stage.use(new EveryKind(client, once));
    for (let round = 0; round < 12; round++) {
      channel.updateEndpoints(addresses.filter((_, at) => at !== round % 3));
      await events.next("call.picked");
    }
    const ends = await load.stop();

    expect(Object.keys(ends)).toEqual(["OK"]);
    expect([events.count("call.retry"), events.count("connection.lost")]).toEqual([0, 0]);
  });
});

describe("a server that ends connections at its own maximum age", () => {
  it("fails no call of any kind, and nothing is held against it (R71)", async () => {
    const age = { "grpc.max_connection_age_ms": 150, "grpc.max_connection_age_grace_ms": 5_000 };
    const server = await stage.server({ serverOptions: age });
    const { client, channel, events } = stage.harden([server], {
      breaker: { consecutiveFailures: 1 },
      reconnectBackoff: { initialMs: 10 },
    });

    const load = stage.use(new EveryKind(client, once));
    await events.nth(4, "connection.draining", { cause: "GOAWAY" });
    const ends = await load.stop();

    expect(Object.keys(ends)).toEqual(["OK"]);
    expect([events.count("connection.lost"), events.count("breaker.state")]).toEqual([0, 0]);
    expect(channel.endpoints()[0]?.lastError).toBeNull();
  });
});
