import { Resolver } from "node:dns/promises";
import { existsSync } from "node:fs";
import { get } from "node:https";
import { describe, expect, it, vi } from "vitest";
import { startConsul } from "../../scripts/consul-cluster.mjs";
import { stillRunning } from "../examples/example-run.js";
import { consulOfTest, mustSkipConsul, whyNoConsul } from "../support/consul-agent.js";
import { ConsulApi, ttlCheck } from "../support/consul-api.js";
import { testAuthority } from "../support/tls-certs.js";

const LIMIT_MS = 60_000;
const ECHO = { Name: "echo", ID: "echo-1", Address: "10.0.0.1", Port: 50051 };

describe.skipIf(mustSkipConsul)(`a real agent of Consul${whyNoConsul}`, { timeout: LIMIT_MS }, () => {
  it("tells of a service over HTTP and DNS as soon as it is registered", async () => {
    const { agent, api } = await consulOfTest();
    const dns = new Resolver();
    dns.setServers([agent.dnsAddress]);

    await api.register({ ...ECHO, Tags: ["blue"], Meta: { zone: "a" }, Weights: { Passing: 7, Warning: 1 } });

    const { index, entries } = await api.health("echo", "passing&tag=blue");
    expect(index).toBeGreaterThan(0);
    expect(entries).toMatchObject([
      { Service: { Address: "10.0.0.1", Port: 50051, Meta: { zone: "a" }, Weights: { Passing: 7 } } },
    ]);
    expect(await dns.resolveSrv("echo.service.consul")).toMatchObject([{ port: 50051, weight: 7 }]);
  });

  it("forgets everything when it is killed, and counts its index from the start", async () => {
    const { agent, api } = await consulOfTest();
    const { httpAddress } = agent;
    for (let port = 1; port <= 30; port += 1) await api.register({ ...ECHO, Port: port });
    const before = await api.health("echo");

    await agent.kill();
    agent.restart();
    await agent.waitReady();

    const after = await api.health("echo");
    expect(agent.httpAddress).toBe(httpAddress);
    expect([before.entries.length, after.entries.length]).toEqual([1, 0]);
    expect(after.index).toBeLessThan(before.index);
  });

  it("leaves no process and no file behind", async () => {
    const agent = await startConsul();
    const { pid, folder } = agent;
    const wasThere = [stillRunning([pid!]), existsSync(folder)];

    agent.freeze();
    await agent.stop();
    await agent.stop();

    expect(wasThere).toEqual([[pid], true]);
    expect([stillRunning([pid!]), existsSync(folder)]).toEqual([[], false]);
  });

  it("answers nothing while it is frozen, and what it was asked when it is continued", async () => {
    const { agent, api } = await consulOfTest();

    agent.freeze();
    const asked = api.health("consul").then(() => "answered");
    expect(await Promise.race([asked, agent.waitReady(500).catch(() => "silent")])).toBe("silent");
    agent.thaw();

    expect(await asked).toBe("answered");
  });

  it("turns checks and maintenance on and off", async () => {
    const { api } = await consulOfTest();
    const statusOf = async () => {
      const { entries } = await api.health("echo");
      return entries[0]!.Checks.filter(({ CheckID }) => CheckID !== "serfHealth").map(({ Status }) => Status);
    };
    await api.register({ ...ECHO, Check: ttlCheck("alive") });
    const seen = [await statusOf()];

    await api.setCheck("alive", "warning");
    seen.push(await statusOf());
    await api.maintain("echo-1", true);
    seen.push((await statusOf()).sort());
    await api.maintain("echo-1", false);
    await api.setCheck("alive", "passing");
    seen.push(await statusOf());

    expect(seen).toEqual([["passing"], ["warning"], ["critical", "warning"], ["passing"]]);
  });

  it("loses services that are deregistered, at the agent and in the catalog", async () => {
    const { api } = await consulOfTest();
    await api.register(ECHO);
    await api.registerInCatalog({
      Node: "far",
      Address: "10.0.0.2",
      Service: { Service: "echo", ID: "echo-2", Port: 50051 },
      Checks: [{ Name: "far", CheckID: "far", Status: "passing", ServiceID: "echo-2" }],
    });
    const ids = async () =>
      (await api.health("echo", "passing")).entries.map(({ Service }) => Service.ID).sort();
    const seen = [await ids()];

    await api.deregister("echo-1");
    seen.push(await ids());
    await api.deregisterInCatalog({ Node: "far" });
    seen.push(await ids());

    expect(seen).toEqual([["echo-1", "echo-2"], ["echo-2"], []]);
    await expect(api.deregister("echo-1")).rejects.toThrow(/echo-1 with 404: /);
  });

  it("refuses who has no token, shows what a token allows, and knows its own after a restart", async () => {
    const { agent, api } = await consulOfTest({ acl: true });
    await api.register(ECHO);
    const { secret, accessor } = await api.createToken(
      `service "echo" { policy = "read" } node_prefix "" { policy = "read" }`,
    );
    const reader = new ConsulApi({ httpAddress: agent.httpAddress, token: secret });
    const nobody = new ConsulApi({ httpAddress: agent.httpAddress, token: undefined });

    expect((await nobody.health("echo")).entries).toEqual([]);
    expect((await reader.health("echo")).entries).toHaveLength(1);
    await expect(reader.register(ECHO)).rejects.toThrow(/403: Permission denied/);
    await api.deleteToken(accessor);
    await expect(reader.health("echo")).rejects.toThrow(/403: ACL not found/);
    await agent.kill();
    agent.restart();
    await agent.waitReady();
    await api.register(ECHO);
  });

  it("serves HTTPS, also to clients with a certificate alone", async () => {
    const authority = await testAuthority();
    const { cert, key, ca } = await authority.server();
    const client = await authority.client();
    const { agent } = await consulOfTest({ tls: { ca, cert, key, verifyClients: true } });
    const statusWith = (certificate: object) => httpsStatus(agent.httpsAddress!, { ca, ...certificate });

    expect(await statusWith({ cert: client.cert, key: client.key })).toBe(200);
    await expect(statusWith({})).rejects.toThrow(/certificate required|ECONNRESET|EPIPE/);
  });

  it("answers for another datacentre that has joined it", async () => {
    const near = await consulOfTest();
    const far = await consulOfTest({
      config: {
        datacenter: "dc2",
        retry_join_wan: [near.agent.wanAddress],
        retry_interval_wan: "200ms",
      },
    });
    await far.api.register(ECHO);

    const entries = await vi.waitFor(async () => (await near.api.health("echo", "dc=dc2")).entries, 10_000);

    expect(entries).toMatchObject([{ Node: { Datacenter: "dc2" }, Service: { ID: "echo-1" } }]);
    expect((await near.api.health("echo")).entries).toEqual([]);
  });

  it("says what Consul said about a configuration that it refuses", async () => {
    const started = startConsul({ config: { datacentre: "dc1" } });

    await expect(started).rejects.toThrow(
      /consul-1 ended by itself; its last lines:\n(.*\n)*.*invalid config key datacentre/,
    );
  });
});

function httpsStatus(address: string, options: object): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const url = `https://${address}/v1/status/leader`;
    get(url, { agent: false, ...options }, (response) => {
      response.resume().once("end", () => resolve(response.statusCode));
    }).once("error", reject);
  });
}
