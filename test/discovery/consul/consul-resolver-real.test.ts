import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { DiscoveryOptions } from "../../../src/discovery/discovery-options.js";
import { consulOfTest, mustSkipConsul, type TestConsul, whyNoConsul } from "../../support/consul-agent.js";
import { ttlCheck } from "../../support/consul-api.js";
import { until } from "../../support/event-loop.js";
import { leakBaseline } from "../../support/leak-check.js";
import { ManualClock } from "../../support/manual-clock.js";
import { tempFolder } from "../../support/temp-folder.js";
import { testAuthority } from "../../support/tls-certs.js";
import { AwaitingListener, makeConsulResolver } from "./started-consul.js";

const W1 = { Name: "web", ID: "w1", Address: "10.0.0.1", Port: 80, Check: ttlCheck("w1") };
const W2 = { Name: "web", ID: "w2", Address: "10.0.0.2", Port: 80, Check: ttlCheck("w2") };

function portOf(address: string): number {
  return Number(address.split(":")[1]);
}

/** A resolver of `web` at this Consul, after its first answer or failure. */
async function following(
  { agent }: TestConsul,
  query = "",
  options: DiscoveryOptions = {},
  address = agent.httpAddress,
) {
  const clock = new ManualClock();
  const listener = new AwaitingListener();
  const resolver = makeConsulResolver({ port: portOf(address) }, clock, { query, options });
  onTestFinished(() => resolver.close());
  resolver.start(listener);
  await listener.heard(1);
  return { clock, listener, resolver };
}

describe.skipIf(mustSkipConsul)(`ConsulResolver at a real Consul${whyNoConsul}`, () => {
  it("follows registrations, failing checks and weights, and closes what it opened", async () => {
    const consul = await consulOfTest();
    await consul.api.register(W1);
    const baseline = await leakBaseline();
    const { clock, listener, resolver } = await following(consul);

    await clock.advance(1_000);
    await consul.api.register({ ...W2, Weights: { Passing: 5, Warning: 2 } });
    await until(() => listener.newest.length === 2, "the second instance");
    await clock.advance(1_000);
    await consul.api.setCheck("w1", "critical");
    await until(() => listener.newest.length === 1, "the end of the first instance");
    resolver.close();

    expect(listener.newest).toMatchObject([{ address: "10.0.0.2:80", weight: 5, serverName: "web" }]);
    expect(listener.errors).toEqual([]);
    await baseline.expectClean();
  });

  it("selects by tags, filter, tagged address and state as the target says", async () => {
    const consul = await consulOfTest();
    const wan = { wan: { Address: "1.2.3.4", Port: 90 } };
    await consul.api.register({ ...W1, Tags: ["a", "b"], Meta: { v: "2" }, TaggedAddresses: wan });
    await consul.api.register({ ...W2, Tags: ["a"], Meta: { v: "2" } });
    await consul.api.setCheck("w2", "warning");

    const all = await following(consul, "?passing=false");
    const tagged = await following(consul, "?passing=false&tag=a&tag=b&address=wan");
    const filtered = await following(consul, "?passing=false&filter=Service.Meta.v%20==%202&near=_agent");
    const passing = await following(consul, "?tag=a");

    const addresses = [all, tagged, filtered, passing].map(({ listener }) => listener.addresses[0]?.sort());
    expect(addresses).toEqual([
      ["10.0.0.1:80", "10.0.0.2:80"],
      ["1.2.3.4:90"],
      ["10.0.0.1:80", "10.0.0.2:80"],
      ["10.0.0.1:80"],
    ]);
  });

  it("asks over TLS", async () => {
    const { ca, cert, key } = await (await testAuthority()).server();
    const consul = await consulOfTest({ tls: { ca, cert, key } });
    const caFile = join(tempFolder(), "ca.pem");
    writeFileSync(caFile, ca);

    const { listener } = await following(
      consul,
      "",
      { consul: { tls: { caFile } } },
      consul.agent.httpsAddress,
    );

    expect([listener.sets, listener.messages]).toEqual([[[]], []]);
  });

  it("takes a service that nobody knows for one without endpoints", async () => {
    const { listener } = await following(await consulOfTest());

    expect(listener.sets).toEqual([[]]);
  });

  it("finds the instances of an agent that came back without its state, though its index is lower", async () => {
    const consul = await consulOfTest();
    await consul.api.register(W1);
    for (let change = 0; change < 20; change++)
      await consul.api.register({ ...W2, Meta: { change: `${change}` } });
    const { clock, listener } = await following(consul);

    await clock.advance(1_000);
    await consul.agent.kill();
    await until(() => listener.errors.length === 1, "the failure");
    consul.agent.restart();
    await consul.agent.waitReady();
    await consul.api.register(W1);
    await clock.advance(1_000);
    await until(() => listener.newest.length === 1, "the answer of the new agent");

    expect(listener.addresses.at(-1)).toEqual(["10.0.0.1:80"]);
  });

  it("tells what Consul says of a namespace that it does not know", async () => {
    const { listener } = await following(await consulOfTest(), "?ns=team");

    expect(listener.messages[0]).toContain('answered 400: Invalid header: "X-Consul-Namespace"');
  });

  it("tells of a datacentre that is not there", async () => {
    const { listener } = await following(await consulOfTest(), "?dc=nowhere");

    expect(listener.messages[0]).toContain("answered 500: No path to datacenter");
  });
});

describe.skipIf(mustSkipConsul)(`ConsulResolver at a real Consul with ACLs${whyNoConsul}`, () => {
  const READ = 'service "web" { policy = "read" } node_prefix "" { policy = "read" }';

  it("is refused with a wrong token, which is not told", async () => {
    const consul = await consulOfTest({ acl: true });
    const token = "00000000-0000-0000-0000-00000000dead";

    const { listener } = await following(consul, "", { consul: { token } });

    expect(listener.messages[0]).toContain(
      "answered 403: ACL not found; a token is needed that may read the service and its nodes",
    );
    expect(listener.messages.join()).not.toContain(token);
  });

  it("reads its token anew from the file, so that one that may read is used as soon as it is there", async () => {
    const consul = await consulOfTest({ acl: true });
    await consul.api.register(W1);
    const tokenFile = join(tempFolder(), "token");
    writeFileSync(tokenFile, "00000000-0000-0000-0000-00000000dead");
    const { clock, listener } = await following(consul, "", { consul: { tokenFile } });

    writeFileSync(tokenFile, (await consul.api.createToken(READ)).secret);
    await clock.advance(1_000);
    await listener.heard(2);

    expect(listener.messages).toHaveLength(1);
    expect(listener.addresses).toEqual([["10.0.0.1:80"]]);
  });

  it("does not take for an empty service what its token may not read", async () => {
    const consul = await consulOfTest({ acl: true });
    await consul.api.register(W1);
    const { secret } = await consul.api.createToken('service "other" { policy = "read" }');

    const { listener } = await following(consul, "", { consul: { token: secret } });

    expect(listener.sets).toEqual([]);
    expect(listener.messages[0]).toContain('it needs service:read of "web" and node:read');
  });
});
