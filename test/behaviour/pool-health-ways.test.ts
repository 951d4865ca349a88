import { CallCredentials, Metadata } from "@grpc/grpc-js";
import { type ChannelOptions, callOptions, createChannel, type Endpoint } from "holdfast";
import { describe, expect, it, vi } from "vitest";
import { HealthCheckResponse_ServingStatus as Serving } from "../../src/gen/grpc/health/v1/health.js";
import { counterService, unary } from "../support/counting-server.js";
import { runToEnd } from "../support/finished-process.js";
import { HealthServer } from "../support/health-server.js";
import { LoopbackClock } from "../support/loopback-clock.js";
import { ending, endings, failureOf, Stage } from "../support/stage.js";
import { testAuthority } from "../support/tls-certs.js";
import { tlsServerCredentials } from "../support/tls-server.js";
import { advanceUntil, counts, type HealthyServer, healthyServer, sequentially } from "./pool-servers.js";

const stage = new Stage();
const HEALTH = { health: { serviceName: "" } };
const once = callOptions({ retry: false, timeoutMs: 5_000 });

async function fleet(count: number): Promise<HealthyServer[]> {
  return Promise.all(Array.from({ length: count }, () => healthyServer(stage)));
}

/** Hears the process warnings with this code from now on. */
function warningsOf(code: string): string[] {
  const heard: string[] = [];
  const emit = vi.spyOn(process, "emitWarning").mockImplementation((message, options) => {
    if ((options as { code?: string } | undefined)?.code === code) heard.push(String(message));
  });
  stage.use({ close: () => emit.mockRestore() });
  return heard;
}

describe("servers without Watch", () => {
  it("are asked with Checks in intervals, and follow what these say (R83)", async () => {
    const clock = new LoopbackClock();
    const servers = (await fleet(2)) as [HealthyServer, HealthyServer];
    for (const { health } of servers) health.watchBehaviour = "unimplemented";
    const [changing, well] = servers;
    const { client, channel, events } = stage.harden(servers, HEALTH, { clock });
    await channel.ready({ endpoints: "all" });

    changing.health.set("", Serving.NOT_SERVING);
    await advanceUntil(
      clock,
      () => events.count("endpoint.health", { status: "not-serving" }) > 0,
      "a change of health",
    );
    const during = await sequentially(client, 4, once);
    changing.health.set("", Serving.SERVING);
    await advanceUntil(clock, () => channel.endpoints()[0]?.health === "serving", "serving again");
    const after = await sequentially(client, 4, once);

    expect(endings([...during, ...after])).toEqual({ OK: 8 });
    expect(counts(events.picks, [changing.address, well.address])).toEqual([2, 6]);
    expect(servers.map(({ health }) => health.watches)).toEqual([1, 1]);
  });

  it("and without any health service count as healthy while connected, with one warning for all of them (R83)", async () => {
    const warnings = warningsOf("HOLDFAST_NO_HEALTH");
    const servers = [await stage.server(), await stage.server()];
    const quick = { reconnectBackoff: { initialMs: 10, maxMs: 10 } };
    const { client, channel } = stage.harden(servers, { ...HEALTH, ...quick });

    await channel.ready({ endpoints: "all" });
    const results = await sequentially(client, 6, once);
    for (const server of servers) await server.restart();
    const again = await sequentially(client, 6, callOptions({ waitForReady: true }));
    await channel.ready({ endpoints: "all" });

    expect(endings([...results, ...again])).toEqual({ OK: 12 });
    expect(servers.map((server) => server.executions.Unary)).not.toContain(0);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("has no health service");
    expect(channel.endpoints().map(({ health }) => health)).toEqual(["serving", "serving"]);
  });

  it("may be asked with Checks from the start; a service that is unknown there is not used (R89)", async () => {
    const [without, within] = (await fleet(2)) as [HealthyServer, HealthyServer];
    within.health.set("kv.KV", Serving.SERVING);
    const health = { serviceName: "kv.KV", useWatch: false };
    const { client, channel, events } = stage.harden([without, within], { health });

    await channel.ready();
    const { detail } = await events.first("endpoint.health", {
      endpoint: without.address,
      status: "not-serving",
    });
    const results = await sequentially(client, 4, once);

    expect(endings(results)).toEqual({ OK: 4 });
    expect([without.served, within.served]).toEqual([0, 4]);
    expect(detail).toContain("does not exist");
    expect([without, within].map((server) => server.health.watches)).toEqual([0, 0]);
  });
});

describe("a probe of the user's own", () => {
  it("decides for each endpoint, is told which, and a probe that throws or hangs is a no", async () => {
    const clock = new LoopbackClock();
    const servers = [await stage.server(), await stage.server(), await stage.server(), await stage.server()];
    const [, sick, throwing, hanging] = servers.map(({ address }) => address);
    const asked: Endpoint[] = [];
    const aborted: string[] = [];
    let isSick = true;
    const probe = (endpoint: Endpoint, signal: AbortSignal): boolean | Promise<boolean> => {
      asked.push(endpoint);
      if (endpoint.address === throwing) throw new Error("no route");
      if (endpoint.address === sick) return Promise.resolve(!isSick);
      if (endpoint.address !== hanging) return true;
      signal.addEventListener("abort", () => aborted.push(endpoint.address));
      return new Promise(() => {});
    };
    const { client, channel, events } = stage.harden(servers, { health: { probe } }, { clock });
    channel.getConnectivityState(true);
    await events.ready(...servers.map(({ address }) => address));
    for (let second = 0; second < 2; second++) await clock.advance(1_000);

    const during = await sequentially(client, 6, once);
    isSick = false;
    await advanceUntil(clock, () => channel.endpoints()[1]?.health === "serving", "serving again");
    const after = await sequentially(client, 6, once);

    expect(endings([...during, ...after])).toEqual({ OK: 12 });
    expect(servers.map(({ executions }) => executions.Unary)).toEqual([9, 3, 0, 0]);
    expect(new Set(asked.map(({ address }) => address)).size).toBe(4);
    expect(aborted).toContain(hanging);
    const why = (endpoint: string | undefined) =>
      events.of("endpoint.health", { status: "not-serving" }).find((event) => event.endpoint === endpoint)
        ?.detail;
    expect([why(throwing), why(sick)]).toEqual(["the probe failed: no route", "the probe said no"]);
  });

  it("that says no everywhere fails the calls with its word", async () => {
    const server = await stage.server();
    const { client } = stage.harden([server], { health: { probe: () => false } });

    const error = failureOf(await unary(client, "x", once));

    expect(error).toMatchObject({ reason: "NO_READY_ENDPOINT", processed: "no" });
    expect(error.details).toContain(`${server.address} says the probe said no`);
  });
});

describe("the Watch", () => {
  it("carries the channel's call credentials over TLS and has no deadline (R88)", async () => {
    const certificate = await (await testAuthority()).server();
    const server = stage.use(
      await HealthServer.start({
        credentials: tlsServerCredentials(certificate),
        addServices: (own) => {
          own.addService(
            { Unary: counterService.Unary },
            {
              unary: (call: { request: Buffer }, callback: (e: null, v: Buffer) => void) =>
                callback(null, call.request),
            },
          );
        },
      }),
    );
    const tokens: string[] = [];
    const callCredentials = CallCredentials.createFromMetadataGenerator((_, callback) => {
      const metadata = new Metadata();
      metadata.set("authorization", `Bearer ${tokens.push("asked")}`);
      callback(null, metadata);
    });
    const options: ChannelOptions = { ...HEALTH, tls: { ca: certificate.ca }, callCredentials };
    const { client } = stage.harden([server], options);

    const result = await unary(client, "x", once);

    expect(ending(result)).toBe("OK");
    expect(server.metadata.map((metadata) => metadata.get("authorization"))).toEqual([["Bearer 1"]]);
    expect(server.deadlines).toEqual([Number.POSITIVE_INFINITY]);
    expect(tokens).toHaveLength(2);
  });

  it("is refused in words under pick_first, where it would mean nothing (R87)", () => {
    const make = () =>
      createChannel("static:///a:1", { insecure: true, ...HEALTH, loadBalancing: "pick_first" });

    expect(make).toThrow(/health.*means nothing under pick_first.*round_robin/);
  });

  it.each(["least_request", "random", "least_latency", "weighted_round_robin"])(
    "counts under %s, too: no call goes to whom does not serve (R87)",
    async (loadBalancing) => {
      const [sick, well] = (await fleet(2)) as [HealthyServer, HealthyServer];
      const { client, channel, events } = stage.harden([sick, well], { ...HEALTH, loadBalancing });
      await channel.ready({ endpoints: "all" });
      sick.health.set("", Serving.NOT_SERVING);
      await events.first("endpoint.health", { status: "not-serving" });

      const results = await sequentially(client, 20, once);

      expect(endings(results)).toEqual({ OK: 20 });
      expect([sick.served, well.served]).toEqual([0, 20]);
    },
  );

  it("counts under ring_hash, too: a key moves on while its endpoint does not serve, and comes back (R87)", async () => {
    const servers = await fleet(3);
    const { client, events } = stage.harden(servers, { ...HEALTH, loadBalancing: "ring_hash" });
    const keyed = callOptions({ hashKey: "alice", retry: false, timeoutMs: 5_000 });
    await unary(client, "x", keyed);
    const home = servers.find(({ served }) => served > 0) as HealthyServer;

    home.health.set("", Serving.NOT_SERVING);
    await events.first("endpoint.health", { endpoint: home.address, status: "not-serving" });
    const away = await sequentially(client, 5, keyed);
    home.health.set("", Serving.SERVING);
    await events.nth(2, "endpoint.health", { endpoint: home.address, status: "serving" });
    const back = await sequentially(client, 5, keyed);

    expect(endings([...away, ...back])).toEqual({ OK: 10 });
    expect(home.served).toBe(6);
    expect(servers.map(({ served }) => served).sort()).toEqual([0, 5, 6]);
  });
});

const here = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
const PRELUDE = `
  import { callOptions, createChannel, stubFor } from ${here("../../src/index.ts")};
  import { CounterClient } from ${here("../support/counter-service.ts")};
  const call = (client, options) =>
    new Promise((resolve) => client.unary(Buffer.from("x"), options, (error) => resolve(error?.reason ?? "OK")));
`;
const LINGER_MS = 3_000;

describe("a process with health on that forgot to close its channel", () => {
  it("ends by itself, with Watches running on connections that carried a call and on others (R88)", async () => {
    const servers = await fleet(3);
    const program = (connecting: string, calls: number) => `${PRELUDE}
      const target = "static:///${servers.map(({ address }) => address).join(",")}";
      const options = { insecure: true, health: { serviceName: "" }, connecting: "${connecting}" };
      const channel = createChannel(target, options);
      await channel.ready({ endpoints: "all" });
      const client = stubFor(CounterClient, channel);
      for (let calls = ${calls}; calls > 0; calls--) console.log(await call(client, callOptions({})));
      console.log("done");`;

    const ends = await Promise.all([
      runToEnd(program("lazy", 1), LINGER_MS),
      runToEnd(program("eager", 0), LINGER_MS),
    ]);

    expect(ends.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect(ends[0]?.printed).toContain("OK\ndone");
    expect(servers.map(({ health }) => health.watches)).toEqual([2, 2, 2]);
  });

  it("stays while a call runs beside the Watch, the first as well as a later one, and then ends", async () => {
    const [server] = (await fleet(1)) as [HealthyServer];
    server.unary = (call, callback) => {
      // Nothing else could keep the client alive meanwhile.
      setTimeout(() => callback(null, call.request), 400);
    };
    const source = `${PRELUDE}
      const options = { insecure: true, health: { serviceName: "" } };
      const channel = createChannel("static:///${server.address}", options);
      const client = stubFor(CounterClient, channel);
      const unlimited = callOptions({ timeoutMs: null });
      const words = [await call(client, unlimited), await call(client, unlimited)];
      console.log(words.join(" "), "done");`;

    const { printed, exitCode } = await runToEnd(source, LINGER_MS);

    expect(printed).toContain("OK OK done");
    expect(exitCode).toBe(0);
  });
});
