import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { discoveryOptionsSchema } from "../../../src/discovery/discovery-options.js";
import { DnsResolver } from "../../../src/discovery/dns/dns-resolver.js";
import { parseTarget } from "../../../src/discovery/target.js";
import { DnsServer, type RecordType } from "../../support/dns-server.js";
import { until } from "../../support/event-loop.js";
import { ManualClock } from "../../support/manual-clock.js";
import { fixedRandom } from "../../support/seeded-random.js";
import { noChannel } from "../no-channel.js";
import { RecordingListener } from "../recording-listener.js";
import { type ContractSubject, resolverContract } from "../resolver-contract.js";

const HOST = "users.test";
const SERVICE = "_grpc._tcp.users.test";

/** A resolver of this name that asks a real server. */
function resolverOf(name: string, server: DnsServer) {
  const clock = new ManualClock();
  const parsed = parseTarget(`dns://${server.address}/${name}`);
  if (!parsed.ok || parsed.scheme !== "dns") throw new Error(JSON.stringify(parsed));
  const lookup = async () => Promise.reject(new Error("the system was asked"));
  const deps = { clock, random: fixedRandom(0.5), lookup, env: {}, openChannel: noChannel };
  return { clock, resolver: new DnsResolver(parsed, deps, discoveryOptionsSchema.parse({})) };
}

async function subject(name: string, type: RecordType): Promise<ContractSubject> {
  const server = await DnsServer.start();
  server.srv(SERVICE, [{ target: HOST, port: 50051 }]);
  server.a(HOST, ["10.0.0.1", "10.0.0.2"]);
  const asked = type === "SRV" ? SERVICE : HOST;
  return {
    ...resolverOf(name, server),
    questions: () => server.count(asked, type),
    until: (condition) => until(condition, "an answer"),
    end: () => server.close(),
  };
}

resolverContract("dns with a server of its own", () => subject(`${HOST}:50051`, "A"));
resolverContract("dns with SRV records", () => subject(SERVICE, "SRV"));

describe("DnsResolver and a real server", () => {
  let server: DnsServer;
  let open: DnsResolver[] = [];

  beforeEach(async () => {
    server = await DnsServer.start();
    open = [];
  });
  afterEach(async () => {
    for (const resolver of open) resolver.close();
    await server.close();
  });

  /** A started resolver, once it has said something. */
  async function started(name: string) {
    const bench = resolverOf(name, server);
    open.push(bench.resolver);
    const listener = new RecordingListener();
    bench.resolver.start(listener);
    const heard = (events: number) => until(() => listener.events >= events, `event ${events}`);
    await heard(1);
    return { ...bench, listener, heard };
  }

  it("finds the servers of SRV records, and one that comes later", async () => {
    server.srv(SERVICE, [
      { target: "b.test", port: 2, priority: 1, weight: 0 },
      { target: "a.test", port: 1, priority: 0, weight: 3 },
    ]);
    server.a("a.test", ["10.0.0.1"]);
    server.a("b.test", ["10.0.0.2"], 1);
    const { clock, listener, heard } = await started(SERVICE);

    server.srv(SERVICE, [{ target: "b.test", port: 3 }]);
    await clock.advance(1_050);
    await heard(2);

    expect(listener.sets).toEqual([
      [
        { address: "10.0.0.1:1", serverName: "a.test:1", priority: 0, weight: 3 },
        { address: "10.0.0.2:2", serverName: "b.test:2", priority: 1, weight: 1 },
      ],
      [{ address: "10.0.0.2:3", serverName: "b.test:3", priority: 0, weight: 1 }],
    ]);
  });

  it("answers without endpoints for a service that is not available", async () => {
    server.srv(SERVICE, [{ target: "", port: 0 }]);

    const { listener } = await started(SERVICE);

    expect([listener.sets, listener.errors]).toEqual([[[]], []]);
  });

  it("finds fifty addresses, which no datagram holds", async () => {
    server.a(
      HOST,
      Array.from({ length: 50 }, (_, at) => `10.0.1.${at}`),
    );

    const { listener } = await started(`${HOST}:50051`);

    expect(listener.sets[0]).toHaveLength(50);
  });

  it("finds the addresses of one family where the other is refused", async () => {
    server.fail(HOST, "A", "SERVFAIL");
    server.aaaa(HOST, ["fd00::1"]);

    const { listener } = await started(`${HOST}:50051`);

    expect(listener.addresses).toEqual([["[fd00::1]:50051"]]);
  });

  it("is not held up by a server that drops every AAAA: 200 ms once, and no wait after that", async () => {
    server.a(HOST, ["10.0.0.1"], 1);
    server.fail(HOST, "AAAA", "silence");
    const { clock, resolver } = resolverOf(`${HOST}:50051`, server);
    open.push(resolver);
    const listener = new RecordingListener();
    resolver.start(listener);
    // One timer ends the look-up, the other one the wait.
    await until(() => clock.pendingTimers === 2, "the wait for the other family");

    await clock.advance(200);
    server.a(HOST, ["10.0.0.2"], 1);
    await clock.advance(1_050);
    await until(() => listener.events === 2, "the next answer");

    expect(listener.addresses).toEqual([["10.0.0.1:50051"], ["10.0.0.2:50051"]]);
  });

  it("follows a record that may not be kept, once a second", async () => {
    server.a(HOST, ["10.0.0.1"], 0);
    const { clock, listener, heard } = await started(`${HOST}:50051`);

    server.a(HOST, ["10.0.0.2"], 0);
    await clock.advance(1_050);
    await heard(2);

    expect(listener.addresses).toEqual([["10.0.0.1:50051"], ["10.0.0.2:50051"]]);
    expect(server.count(HOST, "A")).toBe(2);
  });

  it("fails by its own time where the server is silent, and finds the addresses when it is not", async () => {
    server.fail(HOST, "A", "silence");
    server.fail(HOST, "AAAA", "silence");
    const { clock, resolver } = resolverOf(`${HOST}:50051`, server);
    open.push(resolver);
    const listener = new RecordingListener();
    resolver.start(listener);
    await server.reached(2);

    await clock.advance(5_000);
    server.a(HOST, ["10.0.0.1"]);
    server.fail(HOST, "AAAA", "SERVFAIL");
    await clock.advance(1_000);
    await until(() => listener.sets.length > 0, "an answer");

    expect(listener.messages).toEqual([`the lookup of "${HOST}" gave no answer within 5000 ms`]);
    expect(listener.addresses).toEqual([["10.0.0.1:50051"]]);
  });
});
