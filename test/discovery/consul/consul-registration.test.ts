import { describe, expect, it, onTestFinished } from "vitest";
import { ConsulRegistrar } from "../../../src/discovery/consul/consul-registration.js";
import { discoveryOptionsSchema } from "../../../src/discovery/discovery-options.js";
import { KeptRegistration } from "../../../src/discovery/registration-keeper.js";
import { type ServiceOptions, serviceOptionsSchema } from "../../../src/discovery/registration-options.js";
import type { ConsulTarget } from "../../../src/discovery/target-kinds.js";
import { HealthCheckResponse_ServingStatus as Serving } from "../../../src/gen/grpc/health/v1/health.js";
import { consulOfTest, mustSkipConsul, type TestConsul, whyNoConsul } from "../../support/consul-agent.js";
import { ttlCheck } from "../../support/consul-api.js";
import { until } from "../../support/event-loop.js";
import { HealthServer } from "../../support/health-server.js";
import { leakBaseline } from "../../support/leak-check.js";
import { LoopbackClock } from "../../support/loopback-clock.js";
import { fixedRandom } from "../../support/seeded-random.js";

const ADDRESS = "10.0.0.5:50051";
const ID = `users-${ADDRESS}`;
const PERIOD_MS = 5_000;

function targetAt(address: string): ConsulTarget {
  const [host = "", port] = address.split(":");
  return {
    ok: true,
    scheme: "consul",
    canonical: `consul://${address}/users`,
    agent: { host, port: Number(port) },
    service: "users",
    tags: [],
    datacenter: null,
    failover: [],
    near: null,
    isPassingOnly: true,
    namespace: null,
    partition: null,
    consistency: "default",
    taggedAddress: null,
    filter: null,
  };
}

/** A registration at this Consul, on a clock that only the test moves; its first step is over. */
async function registered({ agent }: TestConsul, service: Partial<ServiceOptions> = {}, consul = {}) {
  const clock = new LoopbackClock();
  const registrar = new ConsulRegistrar(
    targetAt(agent.httpAddress),
    serviceOptionsSchema.parse({ address: ADDRESS, ...service }),
    discoveryOptionsSchema.parse({ consul }),
    { clock, env: {} },
  );
  const registration = new KeptRegistration(registrar, { clock, random: fixedRandom(0.5) }, 5_000);
  const events: string[] = [];
  registration.onEvent(({ type }) => events.push(type));
  onTestFinished(() => registration.close());
  const error = await registration.start();
  return { clock, registration, events, error };
}

async function entryOf({ api }: TestConsul) {
  const { entries } = await api.health("users");
  expect(entries.length).toBeLessThanOrEqual(1);
  return entries[0] ?? null;
}

/** Of the service's own check; null where there is none. */
async function statusOf(consul: TestConsul) {
  return (await entryOf(consul))?.Checks.find(({ CheckID }) => CheckID === `service:${ID}`)?.Status ?? null;
}

describe.skipIf(mustSkipConsul)(`a service registered at Consul${whyNoConsul}`, () => {
  it("stands there with everything that it was given, and passes", async () => {
    const consul = await consulOfTest();

    const { error } = await registered(consul, {
      weight: 4,
      warningWeight: 2,
      tags: ["v2", "blue"],
      metadata: { build: "77" },
      zone: "eu-1a",
    });

    expect(error).toBeNull();
    expect((await consul.api.health("users", "passing")).entries).toHaveLength(1);
    expect((await entryOf(consul))?.Service).toMatchObject({
      ID,
      Address: "10.0.0.5",
      Port: 50_051,
      Tags: ["v2", "blue"],
      Meta: { build: "77", zone: "eu-1a" },
      Weights: { Passing: 4, Warning: 2 },
    });
  });

  it("has weight 1 in both states unless it says otherwise, and an IPv6 address without brackets", async () => {
    const consul = await consulOfTest();

    await registered(consul, { address: "[2001:db8::5]:50051", id: "users-1" });

    expect((await entryOf(consul))?.Service).toMatchObject({
      ID: "users-1",
      Address: "2001:db8::5",
      Weights: { Passing: 1, Warning: 1 },
    });
  });

  it("is taken out by close, which leaves no socket and no timer", async () => {
    const consul = await consulOfTest();
    const leaks = await leakBaseline();
    const { clock, registration } = await registered(consul);

    await registration.close();

    expect(await entryOf(consul)).toBeNull();
    expect(clock.pendingTimers).toBe(0);
    await leaks.expectClean();
  });

  it("may be taken out where nobody knows it any more", async () => {
    const consul = await consulOfTest();
    const { registration } = await registered(consul);
    await consul.api.deregister(ID);
    const ends: unknown[] = [];
    registration.onEvent((event) => ends.push(event));

    await registration.close();

    expect(ends).toEqual([{ type: "closed", error: null }]);
  });

  it("is in the state that it says, with the note", async () => {
    const consul = await consulOfTest();
    const { registration } = await registered(consul);

    const seen: unknown[] = [];
    for (const status of ["warning", "critical", "passing"] as const) {
      await registration.setStatus(status, `it is ${status}`);
      seen.push(await statusOf(consul));
    }

    expect(seen).toEqual(["warning", "critical", "passing"]);
    const { text } = await consul.api.request("GET", "/v1/agent/checks");
    expect(text).toContain('"Output": "it is passing"');
  });

  it("is critical when its process is dead for the TTL, and passes again when a new one takes its place", async () => {
    const consul = await consulOfTest();
    // Nobody moves its clock, so that it is silent.
    await registered(consul, { check: { ttlMs: 1_000 } });

    await until(async () => (await statusOf(consul)) === "critical", "the end of the TTL");
    await registered(consul);

    expect(await statusOf(consul)).toBe("passing");
  });

  it("is made to pass again by its next heartbeat, whoever has said otherwise", async () => {
    const consul = await consulOfTest();
    const { clock } = await registered(consul);
    await consul.api.setCheck(`service:${ID}`, "critical");
    const before = await statusOf(consul);

    await clock.advance(PERIOD_MS);
    await until(async () => (await statusOf(consul)) === "passing", "the heartbeat");

    expect(before).toBe("critical");
  });

  it("is registered again with its status when the agent comes back without its state", async () => {
    const consul = await consulOfTest();
    const { clock, registration, events } = await registered(consul, { weight: 4 });
    await registration.setStatus("warning");
    await consul.agent.kill();
    consul.agent.restart();
    await consul.agent.waitReady();
    const before = await entryOf(consul);

    await clock.advance(PERIOD_MS);
    await until(() => registration.stats().registrations === 2, "the second registration");

    expect(before).toBeNull();
    expect(events).toEqual(["registered", "forgotten", "registered"]);
    expect((await entryOf(consul))?.Service.Weights).toEqual({ Passing: 4, Warning: 1 });
    expect(await statusOf(consul)).toBe("warning");
  });

  it("keeps trying while Consul is down, and is there when it is back", async () => {
    const consul = await consulOfTest();
    await consul.agent.kill();

    const { clock, registration, error } = await registered(consul);
    consul.agent.restart();
    await consul.agent.waitReady();
    await clock.advance(1_000);
    await until(() => registration.stats().state === "registered", "the registration");

    expect(error?.message).toMatch(
      /^the request to Consul at http:\/\/127\.0\.0\.1:\d+ failed: .*ECONNREFUSED/,
    );
    expect(await statusOf(consul)).toBe("passing");
  });

  it("is failing while Consul is frozen, and passes again when it thaws", async () => {
    const consul = await consulOfTest();
    const { clock, registration } = await registered(consul);
    consul.agent.freeze();

    await clock.advance(PERIOD_MS + 5_000);
    const during = registration.stats();
    consul.agent.thaw();
    await clock.advance(1_000);
    await until(() => registration.stats().state === "registered", "the heartbeat");

    expect(during).toMatchObject({
      state: "failing",
      lastError: { text: "Consul gave no whole answer within 5000 ms" },
    });
    expect(registration.stats().registrations).toBe(1);
  });

  it("ends in bounded time while Consul is frozen, and leaves nothing behind", async () => {
    const consul = await consulOfTest();
    const { clock, registration } = await registered(consul);
    const leaks = await leakBaseline();
    const ends: unknown[] = [];
    registration.onEvent((event) => ends.push(event));
    consul.agent.freeze();

    const closed = registration.close();
    await clock.advance(5_000);
    await closed;

    expect(ends).toMatchObject([
      { type: "closed", error: { message: "the deregistration was not done within 5000 ms" } },
    ]);
    expect(clock.pendingTimers).toBe(0);
    await leaks.expectClean();
    consul.agent.thaw();
  });

  it("replaces an older registration of its id, checks and all, and leaves maintenance alone", async () => {
    const consul = await consulOfTest();
    const old = { Name: "users", ID, Address: "10.9.9.9", Port: 1, Check: ttlCheck("old", "critical") };
    await consul.api.register(old);
    await consul.api.maintain(ID, true);

    await registered(consul);

    const entry = await entryOf(consul);
    expect(entry?.Service.Address).toBe("10.0.0.5");
    expect(entry?.Checks.map(({ CheckID, Status }) => [CheckID, Status]).sort()).toEqual([
      [`_service_maintenance:${ID}`, "critical"],
      ["serfHealth", "passing"],
      [`service:${ID}`, "passing"],
    ]);
  });

  it("is refused for good by what Consul does not take, and Consul's reason is told", async () => {
    const consul = await consulOfTest();

    const { error, registration } = await registered(consul, {
      address: "users.internal:1",
      metadata: { "a b": "c" },
    });

    expect(error?.constructor.name).toBe("RegistrationRefused");
    expect(error?.message).toMatch(/^Consul answered the registration with 400: Invalid Service Meta/);
    expect(registration.stats().state).toBe("failing");
  });

  it("goes on by itself when its token is given the right it lacked, and no error tells the token", async () => {
    const consul = await consulOfTest({ acl: true });
    const reader = await consul.api.createToken('service_prefix "" { policy = "read" }');
    const writer = await consul.api.createToken(
      'service "users" { policy = "write" } node_prefix "" { policy = "read" }',
    );

    const refused = await registered(consul, {}, { token: reader.secret });
    const taken = await registered(consul, {}, { token: writer.secret });

    expect(refused.error?.message).toMatch(/^Consul answered the registration with 403: Permission denied/);
    expect(refused.error?.message).not.toContain(reader.secret);
    expect(refused.registration.stats().state).toBe("failing");
    expect(taken.error).toBeNull();
  });
});

describe.skipIf(mustSkipConsul)(`a service that Consul checks by gRPC${whyNoConsul}`, () => {
  it("passes once Consul has asked it, and is critical when it says so", async () => {
    const consul = await consulOfTest();
    const server = await HealthServer.start();
    onTestFinished(() => server.stop());
    const options = {
      address: server.address,
      id: ID,
      check: { grpc: "users.Users", intervalMs: 1_000 },
    } as const;

    await registered(consul, options);
    const first = await statusOf(consul);
    server.set("users.Users", Serving.SERVING);
    await until(async () => (await statusOf(consul)) === "passing", "the first good check");
    server.set("users.Users", Serving.NOT_SERVING);
    await until(async () => (await statusOf(consul)) === "critical", "the bad check");

    expect(first).toBe("critical");
    expect(server.checks).toBeGreaterThanOrEqual(2);
  });

  it("is registered again, as passing as it was, when the agent comes back without its state", async () => {
    const consul = await consulOfTest();
    const server = await HealthServer.start();
    onTestFinished(() => server.stop());
    server.set("", Serving.SERVING);
    const { clock, registration } = await registered(consul, {
      address: server.address,
      id: ID,
      check: { grpc: true, intervalMs: 1_000 },
    });
    await until(async () => (await statusOf(consul)) === "passing", "the first good check");
    const { answeredAt } = registration.stats();
    await clock.advance(10_000);
    await until(() => registration.stats().answeredAt !== answeredAt, "the look at the check");
    await consul.agent.kill();
    consul.agent.restart();
    await consul.agent.waitReady();

    await clock.advance(10_000);
    await until(() => registration.stats().registrations === 2, "the second registration");

    expect(await statusOf(consul)).toBe("passing");
  });

  it("cannot be given a status by hand", async () => {
    const consul = await consulOfTest();
    const { registration } = await registered(consul, { check: { grpc: true } });

    const refused = registration.setStatus("warning");

    await expect(refused).rejects.toThrow(`Consul itself asks ${ID} how it is (check.grpc)`);
  });

  it("may have been checked by TTL before", async () => {
    const consul = await consulOfTest();
    await registered(consul, { check: { ttlMs: 1_000 } });

    await registered(consul, { check: { grpc: true } });

    const { text } = await consul.api.request("GET", "/v1/agent/checks");
    expect(text).toContain('"Type": "grpc"');
    expect((await entryOf(consul))?.Checks).toHaveLength(2);
  });
});
