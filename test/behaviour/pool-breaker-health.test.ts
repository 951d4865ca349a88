import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { HealthCheckResponse_ServingStatus as Serving } from "../../src/gen/grpc/health/v1/health.js";
import { unary } from "../support/counting-server.js";
import { until } from "../support/event-loop.js";
import { EveryKind } from "../support/every-kind.js";
import { LoopbackClock } from "../support/loopback-clock.js";
import { unavailable } from "../support/scripted-unary.js";
import { endings, Stage } from "../support/stage.js";
import { advanceUntil, type HealthyServer, healthyServer, sequentially } from "./pool-servers.js";

const stage = new Stage();
const once = callOptions({ retry: false, timeoutMs: 3_600_000 });
const BY_HEALTH = {
  health: { serviceName: "" },
  breaker: { consecutiveFailures: 3, openMs: 5_000, probedBy: "health" as const },
};

async function pair(options: object) {
  const clock = new LoopbackClock();
  const servers = [await healthyServer(stage), await healthyServer(stage)] as [HealthyServer, HealthyServer];
  const hardened = stage.harden(servers, options, { clock });
  await hardened.channel.ready({ endpoints: "all" });
  return { clock, servers, ...hardened };
}

describe('a breaker with probedBy: "health"', () => {
  it("sends no user's call as a probe: the endpoint is used again once its health serves after the time is up", async () => {
    const { clock, servers, client, events } = await pair(BY_HEALTH);
    const [bad] = servers;
    bad.unary = unavailable();
    bad.health.set("", Serving.NOT_SERVING);
    bad.health.set("", Serving.SERVING);
    await sequentially(client, 6, once);
    bad.health.set("", Serving.NOT_SERVING);
    await events.nth(1, "endpoint.health", { endpoint: bad.address, status: "not-serving" });
    const served = bad.served;

    for (let second = 0; second < 30; second++) await clock.advance(1_000);
    const during = await sequentially(client, 20, once);
    const duringServed = bad.served;
    bad.unary = (call, callback) => callback(null, call.request);
    bad.health.set("", Serving.SERVING);
    await advanceUntil(
      clock,
      () => events.count("breaker.state", { to: "closed" }) > 0,
      "a change of the breaker",
    );
    const after = await sequentially(client, 10, once);

    expect(served).toBe(3);
    expect(endings([...during, ...after])).toEqual({ OK: 30 });
    expect([duringServed, bad.served]).toEqual([3, 8]);
    expect(events.of("breaker.state").map(({ to }) => to)).toEqual(["open", "closed"]);
  });

  it("stays open for its whole time where health serves all along, and longer each time calls go on failing", async () => {
    const { clock, servers, client, events } = await pair(BY_HEALTH);
    const [bad] = servers;
    bad.unary = unavailable();
    const seconds: number[] = [];

    for (let opening = 1; opening <= 3; opening++) {
      await sequentially(client, 8, once);
      expect(events.count("breaker.state", { to: "open" })).toBe(opening);
      let waited = 0;
      for (; events.count("breaker.state", { to: "closed" }) < opening && waited < 100; waited++) {
        await clock.advance(1_000);
      }
      seconds.push(waited);
    }

    expect(bad.served).toBe(9);
    expect(seconds[1]).toBeGreaterThan(seconds[0] ?? 0);
    expect(seconds[2]).toBeGreaterThan(seconds[1] ?? 0);
  });

  it('closes the breakers of its methods, too, under scope "method"', async () => {
    const { clock, servers, client, events } = await pair({
      ...BY_HEALTH,
      breaker: { ...BY_HEALTH.breaker, scope: "method" },
    });
    const [bad] = servers;
    bad.unary = unavailable();
    await sequentially(client, 8, once);
    bad.unary = (call, callback) => callback(null, call.request);
    const opened = events.of("breaker.state").map(({ to, method }) => [to, method]);

    for (let second = 0; second < 15; second++) await clock.advance(1_000);
    const served = bad.served;
    await sequentially(client, 10, once);

    expect(opened).toEqual([["open", "/holdfast.test.Counter/Unary"]]);
    expect(bad.served - served).toBe(5);
  });
});

describe("health beside what else happens to connections", () => {
  it("keeps one Watch and fails no call as connections are replaced by age", async () => {
    const { clock, servers, client, channel, events } = await pair({
      health: { serviceName: "" },
      maxConnectionAgeMs: 10_000,
      poolSize: 2,
    });

    const load = new EveryKind(client, once);
    await advanceUntil(
      clock,
      () => events.count("connection.draining", { cause: "age" }) >= 8,
      "replacing by age",
    );
    const ends = await load.stop();
    await until(() => servers.every(({ health }) => health.open.size === 1), "one Watch each");

    expect(Object.keys(ends)).toEqual(["OK"]);
    expect([
      events.count("endpoint.health", { status: "not-serving" }),
      events.count("connection.lost"),
    ]).toEqual([0, 0]);
    expect(channel.endpoints().map(({ health }) => health)).toEqual(["serving", "serving"]);
  });

  it("never keeps an endpoint that is not serving in use because a new connection came up", async () => {
    const { clock, servers, client, events } = await pair({
      health: { serviceName: "" },
      maxConnectionAgeMs: 10_000,
    });
    const [sick] = servers;
    sick.health.set("", Serving.NOT_SERVING);
    await events.first("endpoint.health", { endpoint: sick.address, status: "not-serving" });

    for (let second = 0; second < 40; second++) {
      await clock.advance(1_000);
      await unary(client, "x", once);
    }

    expect(events.count("connection.draining", { cause: "age" })).toBeGreaterThanOrEqual(0);
    expect(sick.health.watches).toBeGreaterThan(1);
    expect(sick.served).toBe(0);
  });

  it("takes a stream of its connection, not one of the calls that maxStreamsPerConnection allows (R88)", async () => {
    const { servers, client } = await pair({ health: { serviceName: "" }, maxStreamsPerConnection: 1 });

    const results = await Promise.all(Array.from({ length: 6 }, () => unary(client, "x", once)));

    expect(endings(results)).toEqual({ OK: 6 });
    expect(servers.map(({ served }) => served)).toEqual([3, 3]);
  });
});
