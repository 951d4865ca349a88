import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { unary } from "../support/counting-server.js";
import { DnsServer } from "../support/dns-server.js";
import { Forwarder } from "../support/forwarder.js";
import { PacedLoad } from "../support/paced-load.js";
import { endings, Stage } from "../support/stage.js";
import { sequentially } from "./pool-servers.js";

const stage = new Stage();
const HOST = "users.test";
const SERVICE = "_grpc._tcp.users.test";
/** Look-ups in quick succession, so that a test sees in milliseconds what takes half a minute by default. */
const QUICK = { discovery: { minIntervalMs: 0, refreshMs: 20 } };
const once = callOptions({ retry: false, timeoutMs: 5_000 });

/** A gRPC server that is reached by several addresses of the loopback network, and a name server. */
async function network() {
  const [server, dns] = [await stage.server(), stage.use(await DnsServer.start())];
  const { port } = server;
  const at = async (host: string) => stage.use(await Forwarder.start(port, { host, port }));
  return { server, dns, port, at, target: `dns://${dns.address}/${HOST}:${port}` };
}

describe("a dns target with a name server of its own", () => {
  it("is spread over both addresses of its name", async () => {
    const { server, dns, port, at, target } = await network();
    const second = await at("127.0.0.2");
    dns.a(HOST, ["127.0.0.1", "127.0.0.2"]);
    const { client, channel, events } = stage.harden(target);
    channel.getConnectivityState(true);
    await events.ready(`127.0.0.1:${port}`, `127.0.0.2:${port}`);

    const results = await sequentially(client, 10, once);

    expect(endings(results)).toEqual({ OK: 10 });
    expect([server.peers.size, second.connections]).toEqual([2, 1]);
  });

  it("is followed to another address while all is well, without a failed call", async () => {
    const { dns, port, at, target } = await network();
    const old = await at("127.0.0.2");
    const moved = await at("127.0.0.3");
    dns.a(HOST, ["127.0.0.2"]);
    const { client, events } = stage.harden(target, QUICK);
    const load = stage.use(new PacedLoad(client, once, { everyMs: 2 }));
    await events.first("call.picked");

    dns.a(HOST, ["127.0.0.3"]);
    await events.first("call.picked", { endpoint: `127.0.0.3:${port}` });
    const picked = events.picks.length;
    await load.more(20);
    const results = await load.stop();

    expect(Object.keys(endings(results))).toEqual(["OK"]);
    expect(new Set(events.picks.slice(picked))).toEqual(new Set([`127.0.0.3:${port}`]));
    expect([old.connections, moved.connections]).toEqual([1, 1]);
  });

  it("uses a server that is added while all is well, with no connection lost", async () => {
    const { dns, port, at, target } = await network();
    await at("127.0.0.2");
    dns.a(HOST, ["127.0.0.1"]);
    const { client, events } = stage.harden(target, QUICK);
    await unary(client, "before", once);

    dns.a(HOST, ["127.0.0.1", "127.0.0.2"]);
    await events.ready(`127.0.0.2:${port}`);
    const results = await sequentially(client, 10, once);

    expect(endings(results)).toEqual({ OK: 10 });
    expect(new Set(events.picks)).toEqual(new Set([`127.0.0.1:${port}`, `127.0.0.2:${port}`]));
    expect(events.count("connection.lost")).toBe(0);
  });

  it.each(["SERVFAIL", "NXDOMAIN"] as const)(
    "keeps its servers while the name server says %s",
    async (refusal) => {
      const { dns, target } = await network();
      dns.a(HOST, ["127.0.0.1"]);
      const { client, channel, events } = stage.harden(target, QUICK);
      await unary(client, "before", once);

      dns.fail(HOST, "A", refusal);
      dns.fail(HOST, "AAAA", refusal);
      await events.first("resolver.failed", { keptEndpoints: 1 });
      const results = await sequentially(client, 10, once);

      expect(endings(results)).toEqual({ OK: 10 });
      expect(channel.stats().discovery).toMatchObject([{ endpoints: 1, staleSince: expect.any(String) }]);
    },
  );

  it("shows a server the name it was given, with the port", async () => {
    const { server, dns, port, target } = await network();
    dns.a(HOST, ["127.0.0.1"]);
    const authorities: string[] = [];
    server.unary = (call, callback) => {
      authorities.push(call.getHost());
      callback(null, call.request);
    };
    const { client } = stage.harden(target);

    await unary(client, "x", once);

    expect(authorities).toEqual([`${HOST}:${port}`]);
  });
});

describe("a dns target of SRV records", () => {
  it("finds ports, priorities and names in them, and follows them while all is well", async () => {
    const [first, backup] = [await stage.server(), await stage.server()];
    const dns = stage.use(await DnsServer.start());
    dns.a("a.test", ["127.0.0.1"]);
    const authorities: string[] = [];
    backup.unary = (call, callback) => {
      authorities.push(call.getHost());
      callback(null, call.request);
    };
    dns.srv(SERVICE, [
      { target: "a.test", port: first.port, priority: 1 },
      { target: "a.test", port: backup.port, priority: 2 },
    ]);
    const { client, events } = stage.harden(`dns://${dns.address}/${SERVICE}`, QUICK);
    const before = await sequentially(client, 5, once);

    dns.srv(SERVICE, [{ target: "a.test", port: backup.port, priority: 2 }]);
    await events.first("resolver.endpoints", { total: 1 });
    const after = await sequentially(client, 5, once);

    expect(endings([...before, ...after])).toEqual({ OK: 10 });
    expect([first.executions.Unary, backup.executions.Unary]).toEqual([5, 5]);
    expect(new Set(authorities)).toEqual(new Set([`a.test:${backup.port}`]));
  });

  it("is spread by their weights", async () => {
    const [heavy, light] = [await stage.server(), await stage.server()];
    const dns = stage.use(await DnsServer.start());
    dns.a("a.test", ["127.0.0.1"]);
    dns.srv(SERVICE, [
      { target: "a.test", port: heavy.port, weight: 3 },
      { target: "a.test", port: light.port, weight: 1 },
    ]);
    const options = { loadBalancing: "weighted_round_robin" as const };
    const { client, channel, events } = stage.harden(`dns://${dns.address}/${SERVICE}`, options);
    channel.getConnectivityState(true);
    await events.ready(heavy.address, light.address);

    const results = await sequentially(client, 40, once);

    expect(endings(results)).toEqual({ OK: 40 });
    expect([heavy.executions.Unary, light.executions.Unary]).toEqual([30, 10]);
  });
});
