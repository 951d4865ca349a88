import { status } from "@grpc/grpc-js";
import { type ChannelOptions, callOptions, createChannel } from "holdfast";
import { describe, expect, it } from "vitest";
import {
  type CountingServer,
  fail,
  type UnaryBehaviour,
  unary,
  unavailable,
} from "../support/counting-server.js";
import { LoopbackClock } from "../support/loopback-clock.js";
import { endings, failureOf, Stage } from "../support/stage.js";
import { advanceUntil, counts, sequentially } from "./pool-servers.js";

const stage = new Stage();
const once = callOptions({ retry: false, timeoutMs: 3_600_000 });
const EJECTION = {
  outlierEjection: {
    intervalMs: 10_000,
    baseEjectionMs: 20_000,
    failurePercentage: { threshold: 40, requestVolume: 10 },
  },
};

/** Every other call fails: a share that no run of failures shows. */
function everyOther(code = status.UNAVAILABLE): UnaryBehaviour {
  let calls = 0;
  return (call, callback) => {
    if (calls++ % 2 === 0) callback({ code, details: "half of the time" });
    else callback(null, call.request);
  };
}

/** Servers with a clock of their own, all connected. */
async function fleet(count: number, options: ChannelOptions) {
  const clock = new LoopbackClock();
  const servers: CountingServer[] = [];
  for (let index = 0; index < count; index++) servers.push(await stage.server());
  const addresses = servers.map(({ address }) => address);
  const hardened = stage.harden(servers, options, { clock });
  await hardened.channel.ready({ endpoints: "all" });
  return { clock, servers, addresses, ...hardened };
}

describe("one of five servers fails half of its calls", () => {
  it("is ejected at the end of the interval, without a lost connection, and back after its time; longer the second time (R93, R98, R99)", async () => {
    const { clock, servers, addresses, client, channel, events } = await fleet(5, EJECTION);
    const [bad] = servers as [CountingServer];
    bad.unary = everyOther();
    const until = async (type: "endpoint.ejected" | "endpoint.unejected", count: number): Promise<number> => {
      let seconds = 0;
      for (; events.count(type) < count && seconds < 120; seconds++) await clock.advance(1_000);
      return seconds;
    };

    const before = await sequentially(client, 100, once);
    await until("endpoint.ejected", 1);
    const [stats] = channel.endpoints();
    const picksBefore = events.picks.length;
    const during = await sequentially(client, 40, once);
    const outSeconds = await until("endpoint.unejected", 1);
    const after = await sequentially(client, 100, once);
    await until("endpoint.ejected", 2);
    const outAgainSeconds = await until("endpoint.unejected", 2);

    expect(endings(before)).toEqual({ OK: 90, "UNAVAILABLE REMOTE maybe": 10 });
    expect(stats).toMatchObject({ isEjected: true, state: "READY", connections: 1, breaker: "closed" });
    expect(endings(during)).toEqual({ OK: 40 });
    expect(counts(events.picks.slice(picksBefore, picksBefore + 40), addresses)).toEqual([0, 10, 10, 10, 10]);
    expect(endings(after)["UNAVAILABLE REMOTE maybe"]).toBe(10);
    expect(events.of("endpoint.ejected")).toEqual([
      { type: "endpoint.ejected", endpoint: bad.address, method: "failure_percentage", forMs: 20_000 },
      { type: "endpoint.ejected", endpoint: bad.address, method: "failure_percentage", forMs: 40_000 },
    ]);
    // Ended at the first sweep after the time (R99).
    expect([outSeconds, outAgainSeconds]).toEqual([30, 50]);
    expect([
      bad.peers.size,
      events.count("connection.lost"),
      events.count("endpoint.state", { from: "READY" }),
    ]).toEqual([1, 0, 0]);
  });

  it("is found by success rate, too, which needs no threshold (R94)", async () => {
    const { clock, servers, client, events } = await fleet(5, {
      outlierEjection: { successRate: { requestVolume: 10, stdevFactor: 1_000 } },
    });
    (servers[0] as CountingServer).unary = everyOther();

    await sequentially(client, 60, once);
    await advanceUntil(clock, () => events.count("endpoint.ejected") > 0, "an ejection");

    expect(events.of("endpoint.ejected")).toMatchObject([
      { endpoint: servers[0]?.address, method: "success_rate" },
    ]);
  });

  it("is found where nothing is called any more when the interval ends", async () => {
    const { clock, servers, client, channel, events } = await fleet(5, EJECTION);
    (servers[0] as CountingServer).unary = everyOther();
    await sequentially(client, 60, once);

    for (let second = 0; second < 10; second++) await clock.advance(1_000);

    expect(events.count("endpoint.ejected")).toBe(1);
    expect(channel.endpoints().filter(({ isEjected }) => isEjected)).toHaveLength(1);
  });

  it("stays ejected when the set is updated, and begins anew when it leaves and comes back (R91)", async () => {
    const { clock, servers, addresses, client, channel, events } = await fleet(5, EJECTION);
    (servers[0] as CountingServer).unary = everyOther();
    await sequentially(client, 60, once);
    await advanceUntil(clock, () => events.count("endpoint.ejected") > 0, "an ejection");

    channel.updateEndpoints(addresses.map((address) => ({ address, weight: 2 })));
    const kept = channel.endpoints()[0]?.isEjected;
    channel.updateEndpoints(addresses.slice(1));
    channel.updateEndpoints(addresses);

    expect([kept, channel.endpoints()[0]?.isEjected]).toEqual([true, false]);
  });
});

describe("errors of the application", () => {
  it.each([
    status.NOT_FOUND,
    status.INVALID_ARGUMENT,
    status.ALREADY_EXISTS,
    status.FAILED_PRECONDITION,
    status.OUT_OF_RANGE,
    status.PERMISSION_DENIED,
    status.UNAUTHENTICATED,
    status.UNIMPLEMENTED,
  ])("with code %d eject nobody, however many there are (R103)", async (code) => {
    const { clock, servers, client, channel, events } = await fleet(5, {
      outlierEjection: {
        failurePercentage: { threshold: 0, requestVolume: 1 },
        successRate: { requestVolume: 1, stdevFactor: 0 },
      },
    });
    (servers[0] as CountingServer).unary = fail(code, "the caller's fault");

    await sequentially(client, 50, once);
    for (let second = 0; second < 20; second++) await clock.advance(1_000);

    expect([events.count("endpoint.ejected"), events.count("endpoint.spared")]).toEqual([0, 0]);
    expect(channel.endpoints().map(({ isEjected }) => isEjected)).toEqual(Array(5).fill(false));
  });
});

describe("the panic floor", () => {
  it("is one for breakers and ejections: what breakers took out leaves nothing to eject, and that is told", async () => {
    const { clock, servers, addresses, client, channel, events } = await fleet(4, {
      breaker: { consecutiveFailures: 3, openMs: 60_000 },
      outlierEjection: { failurePercentage: { threshold: 40, requestVolume: 5, minimumHosts: 2 } },
    });
    for (const server of servers.slice(0, 2)) server.unary = unavailable();
    (servers[2] as CountingServer).unary = everyOther();

    await sequentially(client, 60, once);
    for (let second = 0; second < 10; second++) await clock.advance(1_000);

    expect(channel.endpoints().map(({ breaker, isEjected }) => [breaker, isEjected])).toEqual([
      ["open", false],
      ["open", false],
      ["closed", false],
      ["closed", false],
    ]);
    expect(events.of("endpoint.spared")).toEqual([
      {
        type: "endpoint.spared",
        endpoint: addresses[2],
        method: "failure_percentage",
        why: "max_ejection_overflow",
      },
    ]);
  });

  it("lets an ejection keep a breaker closed that would take out one too many", async () => {
    const { clock, servers, client, channel, events } = await fleet(3, {
      breaker: { consecutiveFailures: 3 },
      maxEjectionPercent: 30,
      outlierEjection: { failurePercentage: { threshold: 40, requestVolume: 5, minimumHosts: 2 } },
    });
    (servers[0] as CountingServer).unary = everyOther();
    await sequentially(client, 40, once);
    await advanceUntil(clock, () => events.count("endpoint.ejected") > 0, "an ejection");

    (servers[1] as CountingServer).unary = unavailable();
    await sequentially(client, 20, once);

    expect(channel.endpoints().map(({ breaker, isEjected }) => [breaker, isEjected])).toEqual([
      ["closed", true],
      ["closed", false],
      ["closed", false],
    ]);
  });
});

describe("a lost connection", () => {
  it("counts as one failure, however many calls it had", async () => {
    const clock = new LoopbackClock();
    const [bad, others] = [await stage.proxied(), [await stage.server(), await stage.server()]];
    const { client, channel, events } = stage.harden(
      [bad, ...others],
      {
        breaker: false,
        // One failure in eleven is 9 %, ten in twenty are 50.
        outlierEjection: { failurePercentage: { threshold: 30, requestVolume: 5, minimumHosts: 2 } },
      },
      { clock },
    );
    await channel.ready({ endpoints: "all" });
    await sequentially(client, 30, once);
    for (const server of [bad.server, ...others]) server.unary = () => {};
    const calls = Array.from({ length: 30 }, () => unary(client, "x", once));
    await bad.server.received(20);

    bad.proxy.resetAll();
    await events.first("connection.lost", { endpoint: bad.address });
    for (let second = 0; second < 11; second++) await clock.advance(1_000);
    const ejected = events.count("endpoint.ejected");
    channel.destroy();

    expect(endings(await Promise.all(calls))).toMatchObject({ "UNAVAILABLE CONNECTION_LOST maybe": 10 });
    expect(ejected).toBe(0);
  });
});

describe("a lost connection that carried a breaker's probe", () => {
  it("counts as one failure, too, and not a second time for the probe", async () => {
    const clock = new LoopbackClock();
    const [bad, good] = [await stage.proxied({ handler: unavailable() }), await stage.server()];
    const options: ChannelOptions = {
      breaker: { consecutiveFailures: 1, openMs: 1_000 },
      maxEjectionPercent: 100,
      reconnectBackoff: { initialMs: 60_000, maxMs: 60_000 },
      // An answer and a loss are two; three would be looked at, and ejected.
      outlierEjection: {
        intervalMs: 20_000,
        failurePercentage: { threshold: 0, requestVolume: 3, minimumHosts: 1 },
      },
    };
    const { client, channel, events } = stage.harden([bad, good], options, { clock });
    await channel.ready({ endpoints: "all" });
    await sequentially(client, 2, once);
    await clock.advance(2_000);
    bad.server.unary = () => {};
    const calls = [unary(client, "x", once), unary(client, "x", once)];
    await bad.server.received(2);

    bad.proxy.resetAll();
    const results = await Promise.all(calls);
    for (let second = 0; second < 25; second++) await clock.advance(1_000);

    expect(endings(results)).toEqual({ OK: 1, "UNAVAILABLE CONNECTION_LOST maybe": 1 });
    expect([events.count("connection.lost"), events.count("endpoint.ejected")]).toEqual([1, 0]);
  });
});

describe("ejection under other options", () => {
  it("says who is ejected where nobody else is left", async () => {
    const { clock, servers, client, events } = await fleet(2, {
      maxEjectionPercent: 100,
      breaker: false,
      outlierEjection: { failurePercentage: { threshold: 10, requestVolume: 5, minimumHosts: 1 } },
    });
    for (const server of servers) server.unary = unavailable();
    await sequentially(client, 20, once);
    await advanceUntil(clock, () => events.count("endpoint.ejected") >= 2, "an ejection");

    const error = failureOf(await unary(client, "x", once));

    expect(error).toMatchObject({ code: status.UNAVAILABLE, processed: "no" });
    expect(error.details).toContain("failed more than the others");
    expect(error.details).toContain(servers[0]?.address);
  });

  it("is refused under pick_first, which has nobody to compare with (R102)", () => {
    const make = () =>
      createChannel("static:///a:1,b:1", {
        insecure: true,
        loadBalancing: "pick_first",
        outlierEjection: { failurePercentage: {} },
      });

    expect(make).toThrow(/outlierEjection.*pick_first/);
  });

  it("refuses percentages beyond 100 and negative times, naming each (R90)", () => {
    const make = () =>
      createChannel("static:///a:1", {
        insecure: true,
        outlierEjection: {
          intervalMs: -1,
          failurePercentage: { threshold: 101 },
          successRate: { enforcementPercent: 101 },
        },
      });

    expect(make).toThrow(/intervalMs/);
    expect(make).toThrow(/threshold/);
    expect(make).toThrow(/enforcementPercent/);
  });
});
