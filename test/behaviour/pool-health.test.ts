import { status } from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { HealthCheckResponse_ServingStatus as Serving } from "../../src/gen/grpc/health/v1/health.js";
import { collect, unary } from "../support/counting-server.js";
import { until } from "../support/event-loop.js";
import { LoopbackClock } from "../support/loopback-clock.js";
import { ending, endings, failureOf, Stage } from "../support/stage.js";
import { counts, type HealthyServer, healthyServer, sequentially } from "./pool-servers.js";

const stage = new Stage();
const HEALTH = { health: { serviceName: "" } };
const once = callOptions({ retry: false, timeoutMs: 5_000 });

async function fleet(count: number): Promise<HealthyServer[]> {
  return Promise.all(Array.from({ length: count }, () => healthyServer(stage)));
}

describe("the health of endpoints", () => {
  it("is asked with one Watch for each, however many connections and kinds of calls there are (R80)", async () => {
    const servers = await fleet(2);
    const { client, channel } = stage.harden(servers, {
      ...HEALTH,
      poolSize: 3,
      separateStreams: true,
    });

    await channel.ready({ endpoints: "all" });
    const results = [
      ...(await sequentially(client, 6, once)),
      ...(await sequentially(client, 2, callOptions({ compression: "gzip" }))),
    ];
    const stream = client.bidi(once);
    const streamed = collect(stream);
    stream.end();
    await streamed;
    await until(() => channel.endpoints().every(({ connections }) => connections >= 6), "all connections");

    expect(endings(results)).toEqual({ OK: 8 });
    expect(servers.map(({ health }) => [health.watches, health.open.size, health.checks])).toEqual([
      [1, 1, 0],
      [1, 1, 0],
    ]);
  });

  it("takes an endpoint out of use that says NOT_SERVING, and back when it says SERVING; its connection stays (R82, R86)", async () => {
    const [sick, well] = (await fleet(2)) as [HealthyServer, HealthyServer];
    const { client, channel, events } = stage.harden([sick, well], HEALTH);
    await channel.ready({ endpoints: "all" });
    await sequentially(client, 4, once);

    sick.health.set("", Serving.NOT_SERVING);
    await events.first("endpoint.health", { endpoint: sick.address, status: "not-serving" });
    const out = await sequentially(client, 6, once);
    const during = channel.endpoints()[0];
    sick.health.set("", Serving.SERVING);
    await events.nth(2, "endpoint.health", { endpoint: sick.address, status: "serving" });
    const back = await sequentially(client, 4, once);

    expect(endings([...out, ...back])).toEqual({ OK: 10 });
    expect(counts(events.picks, [sick.address, well.address])).toEqual([4, 10]);
    expect(during).toMatchObject({
      state: "READY",
      health: "not-serving",
      connections: 1,
      breaker: "closed",
    });
    expect([sick.peers.size, events.count("connection.lost"), events.count("breaker.state")]).toEqual([
      1, 0, 0,
    ]);
  });

  it("lets the calls go on that run on an endpoint as it goes out of use (R86)", async () => {
    const [server] = (await fleet(1)) as [HealthyServer];
    const { client, channel, events } = stage.harden([server], HEALTH);
    await channel.ready();
    const stream = client.bidi(once);
    const result = collect(stream);
    stream.write(Buffer.from("before"));
    await new Promise((resolve) => stream.once("data", resolve));

    server.health.set("", Serving.NOT_SERVING);
    await events.first("endpoint.health", { status: "not-serving" });
    stream.write(Buffer.from("after"));
    stream.end();
    const { texts, status: end } = await result;

    expect([texts, ending(end)]).toEqual([["before", "after"], "OK"]);
  });

  it("fails calls at once when nobody serves, naming each endpoint and its own word", async () => {
    const servers = (await fleet(2)) as [HealthyServer, HealthyServer];
    servers[0].health.set("", Serving.NOT_SERVING);
    servers[1].health.set("", Serving.UNKNOWN);
    const { client } = stage.harden(servers, HEALTH);

    const error = failureOf(await unary(client, "x", once));

    expect(error).toMatchObject({ code: status.UNAVAILABLE, reason: "NO_READY_ENDPOINT", processed: "no" });
    expect(error.details).toContain(`${servers[0].address} says NOT_SERVING`);
    expect(error.details).toContain(`${servers[1].address} says UNKNOWN`);
    expect(servers.map(({ served }) => served)).toEqual([0, 0]);
  });

  it("lets calls that wait for ready go as soon as one serves", async () => {
    const [server] = (await fleet(1)) as [HealthyServer];
    server.health.set("", Serving.NOT_SERVING);
    const { client, events } = stage.harden([server], HEALTH);

    const call = unary(client, "x", callOptions({ waitForReady: true }));
    await events.first("endpoint.health", { status: "not-serving" });
    server.health.set("", Serving.SERVING);

    expect(ending(await call)).toBe("OK");
  });

  it("holds the first calls until the first word has come, and picks nobody before (R81)", async () => {
    const [silent, well] = (await fleet(2)) as [HealthyServer, HealthyServer];
    silent.health.watchBehaviour = "hang";
    const { client, channel, events } = stage.harden([silent, well], HEALTH);

    const first = await sequentially(client, 4, once);
    await silent.health.watched();
    const state = channel.endpoints()[0];
    const alone = stage.harden([silent], HEALTH);
    const waiting = unary(alone.client, "x", callOptions({ timeoutMs: 5_000 }));
    await silent.health.watched(2);
    const queued = alone.channel.stats().callsQueued;
    silent.health.set("", Serving.SERVING);

    expect(endings([...first, await waiting])).toEqual({ OK: 5 });
    expect(events.picks.slice(0, 4)).toEqual(Array(4).fill(well.address));
    expect([state?.state, state?.health, queued]).toEqual(["READY", "unknown", 1]);
  });

  it("is asked of the service that the options name; one that does not exist there is not used (R80, R82)", async () => {
    const [without, within] = (await fleet(2)) as [HealthyServer, HealthyServer];
    within.health.set("kv.KV", Serving.SERVING);
    const { client, channel, events } = stage.harden([without, within], { health: { serviceName: "kv.KV" } });
    const alone = stage.harden([without], { health: { serviceName: "kv.KV" } });

    await channel.ready();
    await events.first("endpoint.health", { endpoint: without.address, status: "not-serving" });
    const results = await sequentially(client, 4, once);
    const error = failureOf(await unary(alone.client, "x", once));

    expect(endings(results)).toEqual({ OK: 4 });
    expect([without.served, within.served]).toEqual([0, 4]);
    expect(error.details).toContain("SERVICE_UNKNOWN");
    expect(channel.endpoints().map(({ health }) => health)).toEqual(["not-serving", "serving"]);
  });

  it("is asked again after a Watch that ends, and on the new connection after a restart (R84, R85)", async () => {
    const [server] = (await fleet(1)) as [HealthyServer];
    const { client, channel, events } = stage.harden([server], {
      ...HEALTH,
      reconnectBackoff: { initialMs: 10, maxMs: 10 },
    });
    await channel.ready();

    server.health.endWatches(status.INTERNAL);
    await server.health.watched(2);
    const afterEnd = await unary(client, "x", callOptions({ waitForReady: true }));
    await server.health.restart();
    await server.health.watched(3);
    const afterRestart = await unary(client, "x", callOptions({ waitForReady: true }));

    expect([afterEnd, afterRestart].map(ending)).toEqual(["OK", "OK"]);
    expect(events.count("breaker.state")).toBe(0);
    expect(server.health.open.size).toBe(1);
  });

  it("is no longer asked once the endpoint is gone, the channel idle or closed (R85)", async () => {
    const clock = new LoopbackClock();
    const servers = (await fleet(3)) as [HealthyServer, HealthyServer, HealthyServer];
    const options = { ...HEALTH, idleTimeoutMs: 5_000 };
    const { client, channel, events } = stage.harden(servers, options, { clock });
    await channel.ready({ endpoints: "all" });
    await unary(client, "x", once);

    channel.updateEndpoints([servers[0].address, servers[1].address]);
    await servers[2].health.unwatched();
    // A Watch runs, and yet the channel counts as idle.
    for (let second = 0; second < 8; second++) await clock.advance(1_000);
    await servers[0].health.unwatched();
    await servers[1].health.unwatched();
    const idle = channel.stats().state;
    const again = await unary(client, "x", once);
    await servers[0].health.watched(2);
    await channel.close();
    await servers[0].health.unwatched(2);

    expect([idle, ending(again)]).toEqual(["IDLE", "OK"]);
    expect(events.count("connection.lost")).toBe(0);
    await until(() => clock.pendingTimers === 0, "the end of every timer");
  });

  it("counts as no call: not in stats, throttle, breaker, picks or latency (R88)", async () => {
    const [server] = (await fleet(1)) as [HealthyServer];
    const { channel, events } = stage.harden([server], {
      ...HEALTH,
      breaker: { consecutiveFailures: 1 },
      reconnectBackoff: { initialMs: 1, maxMs: 1 },
    });
    await channel.ready();

    for (let round = 1; round <= 3; round++) {
      server.health.endWatches(status.UNAVAILABLE);
      await server.health.watched(round + 1);
    }
    await until(() => channel.endpoints()[0]?.health === "serving", "health");
    const { calls, callsInFlight, throttle, failures, endpoints } = channel.stats();

    expect(calls).toMatchObject({ started: 0, attempts: 0, failed: 0, retries: 0 });
    expect([callsInFlight, throttle?.tokens, failures]).toEqual([0, throttle?.maxTokens, []]);
    expect(endpoints[0]).toMatchObject({ breaker: "closed", picks: 0, callsInFlight: 0, latencyMs: null });
    expect(events.all.filter(({ type }) => type.startsWith("call."))).toEqual([]);
  });
});
