import { describe, expect, it, onTestFinished } from "vitest";
import { ConsulRegistrar } from "../../../src/discovery/consul/consul-registration.js";
import { discoveryOptionsSchema } from "../../../src/discovery/discovery-options.js";
import { RegistrationRefused } from "../../../src/discovery/registration.js";
import { type ServiceOptions, serviceOptionsSchema } from "../../../src/discovery/registration-options.js";
import { parseTarget } from "../../../src/discovery/target.js";
import type { ConsulTarget } from "../../../src/discovery/target-kinds.js";
import { until } from "../../support/event-loop.js";
import { runToEnd } from "../../support/finished-process.js";
import { ManualClock } from "../../support/manual-clock.js";
import { acceptOnly } from "../../support/silent-server.js";
import { consulStub, type StubAnswers } from "./consul-registration-stub.js";

const health = { status: "passing", note: "" } as const;
const { signal } = new AbortController();
const UNKNOWN = "Unknown check ID";

async function registrarAt(answers: StubAnswers, service: Partial<ServiceOptions> = {}, query = "") {
  const { address, asked, namespaces } = await consulStub(answers);
  const clock = new ManualClock();
  const registrar = new ConsulRegistrar(
    parseTarget(`consul://${address}/users${query}`) as ConsulTarget,
    serviceOptionsSchema.parse({ address: "10.0.0.5:50051", id: "users-1", ...service }),
    discoveryOptionsSchema.parse({}),
    { clock, env: {} },
  );
  return { registrar, asked, namespaces, clock };
}

describe("a registration's words with Consul", () => {
  it("are three at first: the service, its state, its old checks", async () => {
    const { registrar, asked } = await registrarAt({});

    await registrar.register(health, signal);

    expect(asked).toEqual([
      "PUT /v1/agent/service/register",
      "PUT /v1/agent/check/pass/service:users-1",
      'GET /v1/agent/checks?filter=ServiceID == "users-1"',
    ]);
  });

  it("leave the checks of others alone, also where the agent does not heed the filter", async () => {
    const checks = {
      "old:users-1": { ServiceID: "users-1" },
      "service:carts-1": { ServiceID: "carts-1" },
      serfHealth: { ServiceID: "" },
      nothing: null,
    };
    const { registrar, asked } = await registrarAt({ checks: [200, JSON.stringify(checks)] });

    await registrar.register(health, signal);

    expect(asked.slice(3)).toEqual(["PUT /v1/agent/check/deregister/old:users-1"]);
  });

  it("are two when it is registered again: checks that came since are somebody's", async () => {
    const { registrar, asked } = await registrarAt({});
    await registrar.register(health, signal);

    await registrar.register(health, signal);

    expect(asked.slice(3)).toEqual([
      "PUT /v1/agent/service/register",
      "PUT /v1/agent/check/pass/service:users-1",
    ]);
  });

  it("say the state and the note", async () => {
    const { registrar, asked } = await registrarAt({});

    await registrar.keep({ status: "warning", note: "slow disk" }, signal);
    await registrar.keep({ status: "critical", note: "" }, signal);

    expect(asked).toEqual([
      "PUT /v1/agent/check/warn/service:users-1?note=slow disk",
      "PUT /v1/agent/check/fail/service:users-1",
    ]);
  });

  it("go to the namespace of the target", async () => {
    const { registrar, namespaces } = await registrarAt({}, {}, "?ns=team");

    await registrar.register(health, signal);

    expect(namespaces).toEqual(["team", "team", "team"]);
  });

  it.each([
    [404, `${UNKNOWN} "service:users-1". Ensure that the check ID is passed, not the check name.`],
    [500, `${UNKNOWN} "service:users-1"`],
    [500, 'CheckID "service:users-1" does not have associated TTL'],
  ])("tell that it is forgotten by %i %j", async (status, text) => {
    const { registrar } = await registrarAt({ "check/pass": [status, text] });

    expect(await registrar.keep(health, signal)).toBe(false);
  });

  it.each([
    [500, "No cluster leader", "Consul answered the heartbeat with 500: No cluster leader"],
    [403, "Permission denied", "Consul answered the heartbeat with 403: Permission denied"],
    [429, "", "Consul answered the heartbeat with 429"],
    [200, "", null],
  ])("fail where the heartbeat is answered by %i %j", async (status, text, message) => {
    const { registrar } = await registrarAt({ "check/pass": [status, text] });

    const said = await registrar.keep(health, signal).then(
      () => null,
      (error: Error) => error.message,
    );

    expect(said).toBe(message);
  });

  it("fail where the check of a service that was taken is unknown, which would never be kept", async () => {
    const { registrar } = await registrarAt({ "check/pass": [404, UNKNOWN] });

    const refused = registrar.register(health, signal);

    await expect(refused).rejects.toThrow("Consul took the registration and does not know its check");
  });

  it("are not repeated for what Consul cannot take", async () => {
    const { registrar } = await registrarAt({ register: [400, "Invalid service address"] });

    const error = await registrar.register(health, signal).catch((caught: unknown) => caught);

    expect(error).toBeInstanceOf(RegistrationRefused);
    expect(String(error)).toContain("Consul answered the registration with 400: Invalid service address");
  });

  it("take the end of what is not there for an end, and no other failure", async () => {
    const unknown = await registrarAt({ deregister: [404, 'Unknown service ID "users-1"'] });
    const older = await registrarAt({ deregister: [500, 'Unknown service "users-1"'] });
    const denied = await registrarAt({ deregister: [403, "Permission denied"] });

    await unknown.registrar.deregister(signal);
    await older.registrar.deregister(signal);

    await expect(denied.registrar.deregister(signal)).rejects.toThrow(
      "Consul answered the deregistration with 403: Permission denied",
    );
  });

  it("wait no longer for a heartbeat than its period, or a second", async () => {
    const { registrar, asked, clock } = await registrarAt({ pass: null }, { check: { ttlMs: 1_500 } });

    const late = registrar.keep(health, signal).catch((error: Error) => error.message);
    await until(() => asked.length === 1, "the heartbeat");
    await clock.advance(999);
    const timers = clock.pendingTimers;
    await clock.advance(1);

    expect(timers).toBe(1);
    expect(await late).toBe("Consul gave no whole answer within 1000 ms");
  });

  it("do not keep a process alive that nobody keeps otherwise", async () => {
    const silent = await acceptOnly();
    onTestFinished(() => silent.close());
    const here = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
    const source = `
      import { systemClock } from ${here("../../../src/core/index.ts")};
      import { ConsulRegistrar } from ${here("../../../src/discovery/consul/consul-registration.ts")};
      import { discoveryOptionsSchema } from ${here("../../../src/discovery/discovery-options.ts")};
      import { serviceOptionsSchema } from ${here("../../../src/discovery/registration-options.ts")};
      import { parseTarget } from ${here("../../../src/discovery/target.ts")};
      const target = parseTarget("consul://${silent.address}/users");
      const service = serviceOptionsSchema.parse({ address: "10.0.0.5:50051" });
      const options = discoveryOptionsSchema.parse({});
      const registrar = new ConsulRegistrar(target, service, options, { clock: systemClock, env: {} });
      void registrar.keep({ status: "passing", note: "" }, new AbortController().signal);
      setTimeout(() => console.log("done"), 500);`;

    const { printed, exitCode } = await runToEnd(source, 2_000);

    expect(printed).toBe("done\n");
    expect(exitCode).toBe(0);
  });

  it("are cut short by the signal", async () => {
    const { registrar, asked } = await registrarAt({});
    const over = AbortSignal.abort();

    await expect(registrar.register(health, over)).rejects.toThrow("the request to Consul was cancelled");
    expect(asked).toEqual([]);
  });
});

describe("the words with Consul of a service that it checks itself", () => {
  const check = { grpc: true } as const;

  it("leave the state to Consul", async () => {
    const { registrar, asked } = await registrarAt({}, { check });

    await registrar.register(health, signal);

    expect(asked.map((request) => request.split("?")[0])).toEqual([
      "PUT /v1/agent/service/register",
      "GET /v1/agent/checks",
    ]);
  });

  it("only ask whether it is there", async () => {
    const there = await registrarAt(
      { checks: [200, '{"service:users-1":{"ServiceID":"users-1","Status":"critical"}}'] },
      { check },
    );
    const gone = await registrarAt({ checks: [200, '{"service:users-2":{"Status":"passing"}}'] }, { check });

    expect(await there.registrar.keep(health, signal)).toBe(true);
    expect(await gone.registrar.keep(health, signal)).toBe(false);
    expect(there.registrar.keepEveryMs).toBe(10_000);
  });

  it.each([
    [200, "nothing", "Consul answered the question for its checks with something else"],
    [200, "{", "with a body that is no JSON"],
    [500, "No cluster leader", "Consul answered the question for its checks with 500: No cluster leader"],
  ])("fail where the answer is %i %j", async (status, text, message) => {
    const { registrar } = await registrarAt({ checks: [status, text] }, { check });

    await expect(registrar.keep(health, signal)).rejects.toThrow(message);
  });
});
