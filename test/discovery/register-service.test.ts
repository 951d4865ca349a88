import { createServer } from "node:net";
import { inspect } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { isReason } from "../../src/core/index.js";
import type { DiscoveryOptions } from "../../src/discovery/discovery-options.js";
import { registerService } from "../../src/discovery/register-service.js";
import type { ServiceOptions } from "../../src/discovery/registration-options.js";
import { consulOfTest, mustSkipConsul, whyNoConsul } from "../support/consul-agent.js";
import { until } from "../support/event-loop.js";
import { runToEnd } from "../support/finished-process.js";
import { leakBaseline } from "../support/leak-check.js";
import { LoopbackClock } from "../support/loopback-clock.js";
import { fixedRandom } from "../support/seeded-random.js";
import { consulStub } from "./consul/consul-registration-stub.js";
import { noChannel } from "./no-channel.js";

const service: ServiceOptions = { address: "10.0.0.5:50051" };

/** Registers on a clock that stands still. */
async function register(target: unknown, given: unknown = service, options: DiscoveryOptions = {}, env = {}) {
  const clock = new LoopbackClock();
  const deps = { clock, random: fixedRandom(0.5), env, openChannel: noChannel };
  const registration = await registerService(target as string, given as ServiceOptions, options, deps);
  onTestFinished(() => registration.close());
  return { clock, registration };
}

async function refusal(...given: Parameters<typeof register>): Promise<Error> {
  const error = await register(...given).catch((caught: unknown) => caught);
  if (!(error instanceof Error)) throw new Error("it was taken");
  return error;
}

/** An address where nobody listens. */
function deadAddress(): Promise<string> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(`127.0.0.1:${port}`));
    });
  });
}

function nextWarning(): Promise<Error & { code?: string }> {
  return new Promise((resolve) => process.once("warning", resolve));
}

describe("registerService", () => {
  it.each([
    [5, service, "target is number; allowed: a string"],
    [null, service, "target is null; allowed: a string"],
    ["statc:///a:1", service, 'has the unknown scheme "statc" (did you mean static?)'],
    [
      "dns:///users:1",
      service,
      "nothing can be registered at dns:///users:1; allowed: consul:// and etcd:// targets",
    ],
    ["consul:///users", null, "service is null; allowed: a value of type object"],
    ["consul:///users", { address: "10.0.0.5" }, "it has no port; write host:port"],
    ["consul:///users?tag=v2", service, "tag: tags stand in the service"],
    ["consul:///users", { ...service, metadata: { "a b": "c" } }, 'metadata has the key "a b"'],
    ["etcd:///users", { ...service, check: { grpc: true } }, "check.grpc: etcd asks no service how it is"],
    ["etcd:///users", { ...service, warningWeight: 2 }, "warningWeight: etcd knows no state warning"],
    ["etcd:///users", { ...service, deregisterAfterMs: null }, "deregisterAfterMs: etcd takes a service out"],
  ])("refuses %j with %j, and says what is allowed", async (target, given, text) => {
    const error = await refusal(target, given);

    expect(isReason(error, "CONFIG_INVALID")).toBe(true);
    expect(error.message).toContain(text);
  });

  it("tells all problems at once, of target, service and options, and no token", async () => {
    const options = { consul: { token: "s3cret", tokenFile: "/run/token" }, lookupTimeoutMs: 0 };

    const error = await refusal("consul:///users?tag=v2", { address: "10.0.0.5" }, options);

    expect(error.message).toContain("registerService: 4 problems: ");
    expect(error.message).toContain("lookupTimeoutMs is 0; allowed: 1 or more");
    expect(error.message).not.toContain("s3cret");
  });

  it("resolves and keeps trying where Consul is away, and warns of it once", async () => {
    const address = await deadAddress();
    const warning = nextWarning();

    const { registration } = await register(`consul://${address}/users`);

    expect(registration.stats()).toMatchObject({ state: "failing", registrations: 0, failures: 1 });
    expect(await warning).toMatchObject({ name: "HoldfastWarning", code: "HOLDFAST_NOT_REGISTERED" });
    expect((await warning).message).toMatch(
      /^users-10\.0\.0\.5:50051 was not registered at consul:\/\/127\.0\.0\.1:\d+\/users, which is tried again and again: .*ECONNREFUSED/,
    );
  });

  it("hides its token from whoever prints what it gave", async () => {
    const address = await deadAddress();

    const { registration } = await register(`consul://${address}/users`, service, {
      consul: { token: "s3cret" },
    });

    expect(inspect(registration, { depth: 20, showHidden: true })).not.toContain("s3cret");
  });

  it("rejects there with failFast, and leaves nothing behind", async () => {
    const leaks = await leakBaseline();
    const address = await deadAddress();

    const error = await refusal(`consul://${address}/users`, { ...service, failFast: true });

    expect(isReason(error, "DISCOVERY_FAILED")).toBe(true);
    expect(error.message).toContain(`users-10.0.0.5:50051 was not registered at consul://${address}/users: `);
    await leaks.expectClean();
  });

  it("takes out with failFast what may have arrived although its answer has not", async () => {
    const { address, asked } = await consulStub({ "service/register": [500, "No cluster leader"] });

    await refusal(`consul://${address}/users`, { ...service, failFast: true });

    expect(asked).toEqual([
      "PUT /v1/agent/service/register",
      "PUT /v1/agent/service/deregister/users-10.0.0.5:50051",
    ]);
  });

  it("rejects what Consul itself refuses, and leaves alone what stands there", async () => {
    const { address, asked } = await consulStub({ "service/register": [400, "Invalid service address"] });

    const error = await refusal(`consul://${address}/users`, { ...service, id: "users-1" });

    expect(isReason(error, "CONFIG_INVALID")).toBe(true);
    expect(error.message).toContain(
      `registerService: users-1 was not registered at consul://${address}/users: Consul answered the registration with 400: Invalid service address`,
    );
    expect(asked).toEqual(["PUT /v1/agent/service/register"]);
  });

  it("finds the agent by the environment where the target names none", async () => {
    const address = await deadAddress();

    const error = await refusal(
      "consul:///users",
      { ...service, failFast: true },
      {},
      { CONSUL_HTTP_ADDR: address },
    );

    expect(error.message).toContain(`http://${address}`);
  });
});

describe.skipIf(mustSkipConsul)(`registerService at Consul${whyNoConsul}`, () => {
  it("has the service in Consul when it resolves, and out of it when it is disposed of", async () => {
    const { agent, api } = await consulOfTest();

    const { clock, registration } = await register(`consul://${agent.httpAddress}/users`, {
      ...service,
      weight: 4,
    });
    const during = await api.health("users", "passing");
    await registration[Symbol.asyncDispose]();

    expect(during.entries.map((entry) => entry.Service.Weights)).toEqual([{ Passing: 4, Warning: 1 }]);
    expect((await api.health("users")).entries).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe.skipIf(mustSkipConsul)(`a process that has registered a service${whyNoConsul}`, () => {
  const here = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
  const prelude = `
    import { systemClock as clock, systemRandom as random } from ${here("../../src/core/index.ts")};
    import { registerService } from ${here("../../src/discovery/register-service.ts")};
    import { noChannel as openChannel } from ${here("./no-channel.ts")};
    const deps = { clock, random, env: {}, openChannel };
    const service = { address: "${service.address}", check: { ttlMs: 1_000 } };`;

  it("is not kept alive by it, and its service is critical once the TTL is over", async () => {
    const { agent, api } = await consulOfTest();
    const source = `${prelude}
      const registration = await registerService("consul://${agent.httpAddress}/users", service, {}, deps);
      console.log(registration.stats().state, "done");`;

    const { printed, exitCode } = await runToEnd(source, 3_000);
    await until(
      async () => (await api.health("users", "passing")).entries.length === 0,
      "the end of the TTL",
    );

    expect(printed).toContain("registered done");
    expect(exitCode).toBe(0);
    expect((await api.health("users")).entries).toHaveLength(1);
  });

  it("stays until the registration that it awaits has been answered, and until it is closed", async () => {
    const { agent } = await consulOfTest();
    agent.freeze();
    const source = `${prelude}
      const options = { lookupTimeoutMs: 300 };
      const registration = await registerService("consul://${agent.httpAddress}/users", service, options, deps);
      console.log(registration.stats().state);
      await registration.close();
      console.log(registration.stats().state, "done");`;

    const { printed, exitCode } = await runToEnd(source, 3_000);
    agent.thaw();

    expect(printed).toMatch(/failing[\s\S]*closed done/);
    expect(exitCode).toBe(0);
  });
});
