import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { ConsulRegistrar } from "../../../src/discovery/consul/consul-registration.js";
import { discoveryOptionsSchema } from "../../../src/discovery/discovery-options.js";
import { RegistrationRefused } from "../../../src/discovery/registration.js";
import { type ServiceOptions, serviceOptionsSchema } from "../../../src/discovery/registration-options.js";
import { parseTarget } from "../../../src/discovery/target.js";
import type { ConsulTarget } from "../../../src/discovery/target-kinds.js";
import { ManualClock } from "../../support/manual-clock.js";

const health = { status: "passing", note: "" } as const;
const { signal } = new AbortController();
const UNKNOWN = "Unknown check ID";

/** What Consul answers to requests whose path contains the key; 200 without a body to all others, `{}` to questions. */
type Answers = Readonly<Record<string, readonly [number, string]>>;

async function registrarAt(answers: Answers, service: Partial<ServiceOptions> = {}, query = "") {
  const asked: string[] = [];
  const headers: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? "");
    asked.push(`${request.method} ${path}`);
    headers.push(request.headers["x-consul-namespace"]?.toString());
    const key = Object.keys(answers).find((part) => path.includes(part));
    const [status, text] = answers[key ?? ""] ?? [200, request.method === "GET" ? "{}" : ""];
    response
      .writeHead(status, { "content-type": text.startsWith("{") ? "application/json" : "text/plain" })
      .end(text);
  });
  const port = await listening(server);
  const target = parseTarget(`consul://127.0.0.1:${port}/users${query}`) as ConsulTarget;
  const registrar = new ConsulRegistrar(
    target,
    serviceOptionsSchema.parse({ address: "10.0.0.5:50051", id: "users-1", ...service }),
    discoveryOptionsSchema.parse({}),
    { clock: new ManualClock(), env: {} },
  );
  return { registrar, asked, headers };
}

function listening(server: Server): Promise<number> {
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
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
    const { registrar, headers } = await registrarAt({}, {}, "?ns=team");

    await registrar.register(health, signal);

    expect(headers).toEqual(["team", "team", "team"]);
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
      { checks: [200, '{"service:users-1":{"Status":"critical"}}'] },
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
