import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { experimental } from "@grpc/grpc-js";
import { beforeEach, describe, expect, it } from "vitest";
import { authorityOf, registerWithGrpcJs } from "../../src/call/grpc-js-resolvers.js";
import { parseTarget, type ResolvedTarget } from "../../src/discovery/index.js";
import { ScriptedScheme } from "../discovery/scripted-scheme.js";
import type { ScriptedSource } from "../discovery/scripted-source.js";
import { configErrorOf } from "../support/config-error.js";
import { type CounterClient, type CountingServer, counterClient, unary } from "../support/counting-server.js";
import { ManualClock, settle } from "../support/manual-clock.js";
import { ending, failureOf, reachAll, Stage } from "../support/stage.js";
import { tempFolder } from "../support/temp-folder.js";

const stage = new Stage();
const ROUND_ROBIN = { "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }) };
const URI = { scheme: "plain", authority: "", path: "users" };

/** A plain grpc-js client, with nothing of ours but the resolver. */
function plain(target: string, options = {}): CounterClient {
  return stage.use(counterClient(target, options));
}

/** The addresses in a file, renamed into place as a deployment does. */
function writeAddresses(path: string, servers: readonly CountingServer[]): void {
  writeFileSync(`${path}.new`, JSON.stringify(servers.map(({ address }) => address)));
  renameSync(`${path}.new`, path);
}

/** Calls until a round of calls reaches these servers and no others. */
async function onlyReaches(client: CounterClient, servers: readonly CountingServer[], wanted: string) {
  for (let round = 0; round < 2_000; round++) {
    const before = servers.map(({ executions }) => executions.Unary);
    for (let call = 0; call < servers.length; call++) await unary(client, "x");
    const reached = servers.map(({ executions }, place) => (executions.Unary > before[place]! ? 1 : 0));
    if (reached.join() === wanted) return;
  }
  throw new Error(`the calls never went to ${wanted} alone`);
}

describe("a plain grpc-js client", () => {
  beforeEach(() => registerWithGrpcJs({ filePollMs: 10, shrinkGraceMs: 0 }));

  it("calls the addresses of a static target in turn", async () => {
    const servers = [await stage.server(), await stage.server()];
    const client = plain(`static:///${servers.map(({ address }) => address).join(",")}`, ROUND_ROBIN);

    await reachAll(client, servers);

    expect(servers.map(({ executions }) => executions.Unary > 0)).toEqual([true, true]);
  });

  it("follows a file as addresses come and go", async () => {
    const servers = [await stage.server(), await stage.server(), await stage.server()] as const;
    const path = join(tempFolder(), "users.json");
    writeAddresses(path, [servers[0]]);
    const client = plain(`file://${path}`, ROUND_ROBIN);
    await unary(client, "before");

    writeAddresses(path, servers);
    await reachAll(client, servers);
    writeAddresses(path, [servers[2]]);
    await onlyReaches(client, servers, "0,0,1");

    expect(ending(await unary(client, "after"))).toBe("OK");
  });

  it("is told why there are no endpoints", async () => {
    const path = join(tempFolder(), "users.json");

    const error = failureOf(await unary(plain(`file://${path}`), "x"));

    expect(error.details).toContain(`the file ${path} cannot be read: it is not there`);
  });

  it("reaches a host that is called like a scheme", async () => {
    const server = await stage.server();
    registerWithGrpcJs({}, { env: {}, lookup: async () => ["127.0.0.1"] });

    const result = await unary(plain(`etcd:${server.port}`), "x");

    expect(ending(result)).toBe("OK");
  });

  it("cannot be made for a target that is wrong, and is told everything", () => {
    const error = configErrorOf(() => plain("static:///a,b"));

    expect(error.message).toContain("the target of a grpc-js channel: 2 problems");
  });

  it("keeps the schemes of grpc-js", async () => {
    const server = await stage.server();

    for (const target of [`ipv4:${server.address}`, `dns:///${server.address}`, server.address]) {
      expect(ending(await unary(plain(target), "x"))).toBe("OK");
    }
  });

  it("sends the name of the target as its authority", async () => {
    const server = await stage.server();
    const hosts: string[] = [];
    server.unary = (call, callback) => {
      hosts.push(call.getHost());
      callback(null, call.request);
    };
    const path = join(tempFolder(), "users.json");
    writeAddresses(path, [server]);

    for (const target of [`file://${path}`, `static:///${server.address},127.0.0.1:1`]) {
      await unary(plain(target), "x");
    }

    expect(hosts).toEqual(["users.json", server.address]);
  });
});

describe("a plain grpc-js client of an own scheme", () => {
  /** A client whose first call is under way, and the source that answers for its target. */
  async function calling(discovery = {}, options: object = ROUND_ROBIN) {
    const scheme = new ScriptedScheme("plain");
    stage.use({ close: () => scheme.dispose() });
    registerWithGrpcJs(discovery);
    const made = new Promise<ScriptedSource>((resolve) => {
      scheme.onMade = resolve;
    });
    const client = plain("plain:///users", options);
    const call = unary(client, "first");
    return { client, call, source: await made };
  }

  it("goes on with the last good set while answers are empty or fail", async () => {
    const server = await stage.server();
    const { client, call, source } = await calling();
    source.answer(server.address);
    await call;

    source.answer();
    source.fail();
    await settle();

    expect(ending(await unary(client, "after"))).toBe("OK");
  });

  it("is told when all endpoints are gone and that is meant", async () => {
    const server = await stage.server();
    const { client, call, source } = await calling({ emptyGraceMs: 0 });
    source.answer(server.address);
    await call;

    source.answer();
    await settle();

    const error = failureOf(await unary(client, "after"));
    expect(error.details).toContain("plain:///users has answered without endpoints");
  });

  it("waits while the first answer is empty", async () => {
    const server = await stage.server();
    const { call, source } = await calling();

    source.answer();
    await settle();
    source.answer(server.address);

    expect(ending(await call)).toBe("OK");
  });

  it("fails calls with the reason while nothing is known, and recovers", async () => {
    const server = await stage.server();
    const { client, call, source } = await calling();

    source.fail("no leader");
    const error = failureOf(await call);
    source.answer(server.address);
    await settle();

    expect(error.details).toContain("plain:///users: no leader");
    expect(ending(await unary(client, "after"))).toBe("OK");
  });

  it("dials addresses in the order of their priorities", async () => {
    const [first, second] = [await stage.server(), await stage.server()];
    const { call, source } = await calling({}, {});

    source.answer({ address: second.address, priority: 1 }, first.address);

    expect(ending(await call)).toBe("OK");
    expect([first.executions.Unary, second.executions.Unary]).toEqual([1, 0]);
  });

  it("asks again when its connections fail", async () => {
    const [server, moved] = [await stage.server(), await stage.server()];
    const { client, call, source } = await calling();
    source.answer(server.address);
    await call;
    const refreshed = new Promise<void>((resolve) => {
      source.onRefresh = () => {
        source.answer(moved.address);
        resolve();
      };
    });

    await server.stop();
    await refreshed;
    await settle();

    expect(ending(await unary(client, "after"))).toBe("OK");
  });

  it("closes its resolver with the channel", async () => {
    const { client, call, source } = await calling();

    client.close();
    await call;

    expect(source.isClosed).toBe(true);
  });
});

describe("a resolver made for grpc-js", () => {
  /** What grpc-js makes of `plain:///users`, and all that it hears. */
  function made(discovery = {}) {
    const scheme = new ScriptedScheme("plain");
    stage.use({ close: () => scheme.dispose() });
    const clock = new ManualClock();
    registerWithGrpcJs(discovery, { clock });
    const heard: string[] = [];
    const resolver = experimental.createResolver(
      URI,
      (list) => {
        heard.push(list.ok ? list.value.flatMap(({ addresses }) => addresses.map(shown)).join() : "error");
        return true;
      },
      {},
    );
    return { scheme, clock, heard, resolver, source: () => scheme.source("users") };
  }

  function shown(address: experimental.SubchannelAddress): string {
    return "port" in address ? `${address.host}:${address.port}` : address.path;
  }

  it("asks nobody until it is wanted, and refreshes from then on", () => {
    const { scheme, resolver } = made();
    const before = scheme.made.length;

    resolver.updateResolution();
    resolver.updateResolution();

    expect([before, scheme.made.length, scheme.source("users").refreshes]).toEqual([0, 1, 1]);
    resolver.destroy();
  });

  it("gives hosts, IPv6 addresses without brackets, and paths of sockets", async () => {
    const { resolver, source, heard } = made();
    resolver.updateResolution();

    source().answer("a.example:1", "[::1]:2", "unix:/tmp/s");
    await settle();

    expect(heard).toEqual(["a.example:1,::1:2,/tmp/s"]);
    resolver.destroy();
  });

  it("says nothing once it is destroyed, and leaves nothing", async () => {
    const { resolver, source, heard, clock } = made({ shrinkGraceMs: 1_000 });
    resolver.updateResolution();
    source().answer("a:1", "b:2", "c:3");
    source().answer("a:1");
    await settle();
    const before = heard.length;

    resolver.destroy();
    source().answer("d:4");
    await clock.advance(60_000);

    expect([heard.length - before, clock.pendingTimers, source().isClosed]).toEqual([0, 0, true]);
  });

  it("keeps failures to itself while a set is in use", async () => {
    const { resolver, source, heard } = made();
    resolver.updateResolution();

    source().fail();
    source().answer("a:1");
    source().fail();
    await settle();

    expect(heard).toEqual(["error", "a:1"]);
    resolver.destroy();
  });

  it("holds a loss back across an idle time, as the guards know what was there before", async () => {
    const { resolver, source, heard, clock } = made({ shrinkGraceMs: 1_000 });
    resolver.updateResolution();
    source().answer("a:1", "b:2", "c:3");
    await settle();
    resolver.destroy();

    resolver.updateResolution();
    source().isWatching = true;
    source().answer("a:1");
    await settle();
    const held = heard.at(-1);
    await clock.advance(60_000);

    expect([held, heard.at(-1)]).toEqual(["a:1,b:2,c:3", "a:1"]);
    resolver.destroy();
  });

  it("starts with the last good set when a channel wakes from idling", async () => {
    const { resolver, source, heard, scheme } = made();
    resolver.updateResolution();
    source().answer("a:1");
    await settle();
    resolver.destroy();

    resolver.updateResolution();
    const inside = heard.length;
    source().fail();
    await settle();

    expect([inside, heard, scheme.made.length]).toEqual([1, ["a:1", "a:1"], 2]);
    resolver.destroy();
  });
});

describe("registerWithGrpcJs", () => {
  it("says what is wrong with its options", () => {
    const error = configErrorOf(() => registerWithGrpcJs({ filePollMs: 1, emptyGraceMs: -1 }));

    expect(error.message).toContain("registerWithGrpcJs: 2 problems: filePollMs");
  });

  it.each([
    ["static:///a.example:1,b:2", "a.example:1"],
    ["static:///unix:/tmp/s", "localhost"],
    ["etcd:2379", "etcd:2379"],
    ["consul://agent:8500/users?tag=x", "users"],
    ["etcd://host:2379/services/users", "users"],
    ["file:///etc/our%20users.yaml", "our%20users.yaml"],
  ])("gives %s the authority %s", (target, authority) => {
    expect(authorityOf(parseTarget(target) as ResolvedTarget)).toBe(authority);
  });
});
