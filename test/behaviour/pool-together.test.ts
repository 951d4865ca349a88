import { Metadata } from "@grpc/grpc-js";
import { callOptions, type Endpoint } from "holdfast";
import { describe, expect, it } from "vitest";
import { HealthCheckResponse_ServingStatus as Serving } from "../../src/gen/grpc/health/v1/health.js";
import { type CountingServer, hang, unary, unavailable } from "../support/counting-server.js";
import { turns } from "../support/event-loop.js";
import { EveryKind } from "../support/every-kind.js";
import { LoopbackClock } from "../support/loopback-clock.js";
import { endings, failureOf, Stage } from "../support/stage.js";
import { advanceUntil, type HealthyServer, healthyServer, sequentially } from "./pool-servers.js";

const stage = new Stage();
const once = callOptions({ retry: false, timeoutMs: 5_000 });
const untimed = callOptions({ retry: false, timeoutMs: 3_600_000 });
const HEALTH = { health: { serviceName: "" } };

async function healthy(count: number): Promise<HealthyServer[]> {
  return Promise.all(Array.from({ length: count }, () => healthyServer(stage)));
}

describe("health and priorities", () => {
  it("move calls of all kinds to the backup and back, and none fails", async () => {
    const [primary, backup] = (await healthy(2)) as [HealthyServer, HealthyServer];
    const { client, channel, events } = stage.harden([primary, backup], HEALTH);
    channel.updateEndpoints([primary.address, { address: backup.address, priority: 1 }]);
    await channel.ready();
    const unconnected = channel.endpoints()[1]?.state;

    const load = new EveryKind(client, once);
    await events.first("call.picked", { endpoint: primary.address });
    for (let round = 1; round <= 3; round++) {
      primary.health.set("", Serving.NOT_SERVING);
      await events.next("call.picked", { endpoint: backup.address });
      primary.health.set("", Serving.SERVING);
      await events.next("call.picked", { endpoint: primary.address });
    }
    const ends = await load.stop();

    expect(unconnected).toBe("IDLE");
    expect(Object.keys(ends)).toEqual(["OK"]);
  });
});

describe("health and ring_hash", () => {
  it("fail at once when every endpoint is connected and none serves, with their words", async () => {
    const servers = await healthy(2);
    for (const { health } of servers) health.set("", Serving.NOT_SERVING);
    const { client } = stage.harden(servers, { ...HEALTH, loadBalancing: "ring_hash" });

    const error = failureOf(await unary(client, "x", callOptions({ hashKey: "alice", timeoutMs: 5_000 })));

    expect(error).toMatchObject({ reason: "NO_READY_ENDPOINT", processed: "no" });
    for (const { address } of servers) expect(error.details).toContain(`${address} says NOT_SERVING`);
  });
});

describe("isolation and ring_hash", () => {
  it("moves a key on, and back when it ends; isolated altogether, calls fail at once", async () => {
    const servers = [await stage.server(), await stage.server()];
    const { client, channel, events } = stage.harden(servers, { loadBalancing: "ring_hash" });
    const keyed = callOptions({ hashKey: "alice", retry: false, timeoutMs: 5_000 });
    await unary(client, "x", keyed);
    const [home] = events.picks as [string];
    const other = servers.map(({ address }) => address).find((address) => address !== home) as string;

    const first = channel.isolate(home);
    const away = await sequentially(client, 2, keyed);
    const second = channel.isolate(other);
    const error = failureOf(await unary(client, "x", keyed));
    second.dispose();
    first.dispose();
    const back = await sequentially(client, 2, keyed);

    expect(endings([...away, ...back])).toEqual({ OK: 4 });
    expect(events.picks).toEqual([home, other, other, home, home]);
    expect(error).toMatchObject({ reason: "CIRCUIT_OPEN", processed: "no" });
  });
});

describe("ejection and priorities", () => {
  it("use the backup while the only primary is ejected", async () => {
    const clock = new LoopbackClock();
    const [primary, backup] = [await stage.server(), await stage.server()];
    const { client, channel, events } = stage.harden(
      [primary, backup],
      {
        breaker: false,
        outlierEjection: { failurePercentage: { threshold: 40, requestVolume: 5, minimumHosts: 1 } },
      },
      { clock },
    );
    channel.updateEndpoints([primary.address, { address: backup.address, priority: 1 }]);
    primary.unary = unavailable();
    await sequentially(client, 10, untimed);
    await advanceUntil(clock, () => events.count("endpoint.ejected") > 0, "an ejection");

    const results = await sequentially(client, 10, untimed);

    expect(endings(results)).toEqual({ OK: 10 });
    expect([primary.executions.Unary, backup.executions.Unary]).toEqual([10, 10]);
  });
});

describe("ejection and what callers do", () => {
  it("ejects nobody for calls that callers cancel, or give too little time (R103)", async () => {
    const clock = new LoopbackClock();
    const servers = [await stage.server(), await stage.server()] as [CountingServer, CountingServer];
    const options = {
      outlierEjection: { failurePercentage: { threshold: 0, requestVolume: 1, minimumHosts: 1 } },
    };
    const { client, channel, events } = stage.harden(servers, options, { clock });
    await channel.ready({ endpoints: "all" });
    servers[0].unary = hang();
    const controller = new AbortController();
    const cancelled = Array.from({ length: 10 }, () =>
      unary(client, "x", callOptions({ signal: controller.signal, timeoutMs: null })),
    );
    await servers[0].received(5);
    controller.abort();
    await Promise.all(cancelled);
    const late = Array.from({ length: 10 }, () => unary(client, "x", callOptions({ timeoutMs: 500 })));
    await servers[0].received(10);
    for (let second = 0; second < 12; second++) await clock.advance(1_000);
    await Promise.all(late);

    expect(events.count("endpoint.ejected")).toBe(0);
  });
});

describe("a pool of one connection of one stream", () => {
  it.each([
    "round_robin",
    "random",
    "least_request",
    "least_latency",
    "weighted_round_robin",
    "pick_first",
    "ring_hash",
  ])("serves a burst under %s in order, with a wait and no failure (R75)", async (loadBalancing) => {
    const server = await stage.server();
    const { client, channel } = stage.harden([server], { loadBalancing, maxStreamsPerConnection: 1 });

    const results = await Promise.all(
      Array.from({ length: 20 }, () => unary(client, "x", callOptions({ timeoutMs: 5_000 }))),
    );

    expect(endings(results)).toEqual({ OK: 20 });
    expect(channel.endpoints()[0]).toMatchObject({ callsInFlight: 0, connections: 1, picks: 20 });
  });
});

describe("every policy", () => {
  it.each([
    "round_robin",
    "random",
    "least_request",
    "least_latency",
    "weighted_round_robin",
    "pick_first",
    "ring_hash",
    "consistent_hash",
  ])(
    "%s loses no idempotent call when a server of three is stopped and started again under load",
    async (loadBalancing) => {
      const servers = [await stage.server(), await stage.server(), await stage.server()];
      const { client, events } = stage.harden(servers, {
        loadBalancing,
        reconnectBackoff: { initialMs: 10, maxMs: 10 },
        retry: { backoff: { kind: "immediate" } },
      });
      const idempotent = callOptions({ idempotent: true, hashKey: "alice", timeoutMs: 5_000 });
      const results = await sequentially(client, 10, idempotent);
      const victim = servers.find(({ address }) => address === events.picks[0]) as CountingServer;
      let isOver = false;
      const user = async (): Promise<void> => {
        while (!isOver) {
          results.push(await unary(client, "x", idempotent));
          // A call that fails at once must not keep everything else from happening.
          await turns(1);
        }
      };
      const users = [user(), user(), user()];

      const stop = (): void => {
        isOver = true;
      };
      stage.use({ close: stop });
      await victim.stop();
      await events.first("endpoint.state", { endpoint: victim.address, from: "READY" });
      await events.nth(events.count("call.picked") + 10, "call.picked");
      await victim.restart();
      await events.nth(events.count("call.picked") + 10, "call.picked");
      stop();
      await Promise.all(users);

      // A server that is forced down says CANCELLED to what runs, which is its word and not repeated.
      const { OK = 0, "CANCELLED REMOTE maybe": _cancelled = 0, ...others } = endings(results);
      expect(others).toEqual({});
      expect(OK).toBeGreaterThan(15);
    },
  );
});

describe("a health probe", () => {
  it("is given what discovery says of the endpoint by then", async () => {
    const clock = new LoopbackClock();
    const server = await stage.server();
    const seen: (Endpoint["metadata"] | undefined)[] = [];
    const probe = (endpoint: Endpoint): boolean => seen.push(endpoint.metadata) > 0;
    const { channel } = stage.harden([server], { health: { probe, intervalMs: 1_000 } }, { clock });
    await channel.ready();

    channel.updateEndpoints([{ address: server.address, metadata: { rack: "7" } }]);
    for (let second = 0; second < 3; second++) await clock.advance(1_000);

    expect([seen[0], seen.at(-1)]).toEqual([undefined, { rack: "7" }]);
  });
});

describe("a server that gets a health service with its next version", () => {
  it("is asked anew on its new connection (R83)", async () => {
    const [server] = (await healthy(1)) as [HealthyServer];
    server.health.watchBehaviour = "unimplemented";
    server.health.checkBehaviour = "unimplemented";
    const { client, events } = stage.harden([server], {
      ...HEALTH,
      reconnectBackoff: { initialMs: 10, maxMs: 10 },
    });
    const before = await unary(client, "x", once);

    server.health.watchBehaviour = "serve";
    server.health.set("", Serving.NOT_SERVING);
    await server.health.restart();
    await events.first("endpoint.health", { status: "not-serving" });
    const error = failureOf(await unary(client, "x", once));

    expect(endings([before])).toEqual({ OK: 1 });
    expect(error.details).toContain("NOT_SERVING");
  });
});

describe("ready() with health", () => {
  it("waits for the first word, and of all names the one that does not serve", async () => {
    const [sick, well] = (await healthy(2)) as [HealthyServer, HealthyServer];
    sick.health.set("", Serving.NOT_SERVING);
    const { channel } = stage.harden([sick, well], HEALTH);

    await channel.ready();
    const error: unknown = await channel.ready({ endpoints: "all" }).catch((thrown: unknown) => thrown);

    expect(String(error)).toContain(`${sick.address}: NOT_SERVING`);
  });
});

describe("calls that wait for ready", () => {
  it.each(["round_robin", "pick_first", "ring_hash"])(
    "go under %s when discovery brings an endpoint that works",
    async (loadBalancing) => {
      const [dead, alive] = [await stage.server(), await stage.server()];
      await dead.stop();
      const { client, channel, events } = stage.harden([dead], { loadBalancing });
      const metadata = new Metadata({ waitForReady: true });
      const call = unary(client, "x", { ...callOptions({ hashKey: "alice", timeoutMs: 8_000 }), metadata });
      await events.first("endpoint.state", { to: "TRANSIENT_FAILURE" });

      channel.updateEndpoints([dead.address, alive.address]);

      expect(endings([await call])).toEqual({ OK: 1 });
    },
  );
});
