import { status } from "@grpc/grpc-js";
import { callOptions, harden } from "holdfast";
import { describe, expect, it } from "vitest";
import { counterClient, unary } from "../support/counting-server.js";
import { Forwarder } from "../support/forwarder.js";
import { fixedRandom } from "../support/seeded-random.js";
import { ending, endings, failureOf, Stage } from "../support/stage.js";

const stage = new Stage();
const QUICK = {
  reconnectBackoff: { initialMs: 20, maxMs: 20 },
  discovery: { minIntervalMs: 0 },
};
const patient = callOptions({ waitForReady: true, idempotent: true });

/** A look-up whose answers a test changes: what stands in `answer` when it is asked. */
function dns(answer: readonly string[] | Error) {
  const scripted = {
    answer,
    asked: [] as string[],
    lookup: async (host: string): Promise<readonly string[]> => {
      scripted.asked.push(host);
      if (scripted.answer instanceof Error) throw scripted.answer;
      return scripted.answer;
    },
  };
  return scripted;
}

describe("a dns target", () => {
  it("is looked up once and spread over all its addresses while all is well", async () => {
    const server = await stage.server();
    const second = stage.use(await Forwarder.start(server.port, { host: "127.0.0.2", port: server.port }));
    const names = dns(["127.0.0.1", "127.0.0.2"]);
    const { client, channel, events } = stage.harden(`users.internal:${server.port}`, QUICK, names);
    channel.getConnectivityState(true);
    await events.ready(`127.0.0.1:${server.port}`, `127.0.0.2:${server.port}`);

    const results = [];
    for (let call = 0; call < 10; call++) results.push(await unary(client, "x"));

    expect(endings(results)).toEqual({ OK: 10 });
    expect(names.asked).toEqual(["users.internal"]);
    expect([server.peers.size, second.connections]).toEqual([2, 1]);
    expect(new Set(events.picks).size).toBe(2);
  });

  it("is looked up again when its server fails, and calls follow it to the new address", async () => {
    const server = await stage.server();
    const { port } = server;
    const old = stage.use(await Forwarder.start(port, { host: "127.0.0.2", port }));
    const names = dns(["127.0.0.2"]);
    const { client, events } = stage.harden(`dns:///users.internal:${port}`, QUICK, names);
    await unary(client, "before");
    stage.use(await Forwarder.start(port, { host: "127.0.0.3", port }));

    names.answer = ["127.0.0.3"];
    await old.close();
    await events.first("connection.lost");
    const result = await unary(client, "after", patient);

    expect(ending(result)).toBe("OK");
    expect(events.picks.at(-1)).toBe(`127.0.0.3:${port}`);
    expect(events.of("resolver.endpoints")).toMatchObject([
      { added: [`127.0.0.2:${port}`], removed: [], total: 1 },
      { added: [`127.0.0.3:${port}`], removed: [`127.0.0.2:${port}`], total: 1 },
    ]);
  });

  it("keeps its last good addresses when a later look-up fails", async () => {
    const server = await stage.server();
    const names = dns(["127.0.0.1"]);
    const { client, events } = stage.harden(`users.internal:${server.port}`, QUICK, names);
    await unary(client, "before");

    names.answer = new Error("SERVFAIL");
    await server.stop();
    const failed = await events.first("resolver.failed");
    await server.restart();
    const result = await unary(client, "after", patient);

    expect(failed).toMatchObject({ keptEndpoints: 1 });
    expect(failed.error).toContain("SERVFAIL");
    expect(ending(result)).toBe("OK");
  });

  it("shows a server the same authority as bare grpc-js: the name it was given, with the port", async () => {
    const server = await stage.server();
    const authorities: string[] = [];
    server.unary = (call, callback) => {
      authorities.push(call.getHost());
      callback(null, call.request);
    };
    const target = `localhost:${server.port}`;
    const { client } = stage.harden(target, QUICK, dns(["127.0.0.1"]));
    const bare = stage.use(counterClient(target));

    await unary(client, "ours");
    await unary(bare, "theirs");

    expect(authorities).toEqual([target, target]);
  });

  it("that cannot be looked up fails its calls with the reason", async () => {
    const names = dns(new Error("getaddrinfo ENOTFOUND users.internal"));
    const { client } = stage.harden("users.internal:50051", { ...QUICK, retry: { maxAttempts: 1 } }, names);

    const error = failureOf(await unary(client, "x"));

    expect(error).toMatchObject({ code: status.UNAVAILABLE, reason: "DISCOVERY_FAILED", processed: "no" });
    expect(error.details).toContain("ENOTFOUND users.internal");
  });
});

describe("a dns target that cannot be looked up yet", () => {
  it("serves the calls that wait for ready once it can", async () => {
    const server = await stage.server();
    const names = dns(new Error("SERVFAIL"));
    const collaborators = { lookup: names.lookup, random: fixedRandom(0) };
    const { client, events } = stage.harden(`users.internal:${server.port}`, QUICK, collaborators);
    const call = unary(client, "x", patient);
    await events.first("resolver.failed", { keptEndpoints: 0 });

    names.answer = ["127.0.0.1"];

    expect(ending(await call)).toBe("OK");
    expect(names.asked.length).toBe(2);
  });
});

describe("a hardened stub", () => {
  it("takes the look-up as a collaborator, and is looked up by its own target", async () => {
    const server = await stage.server();
    const names = dns(["127.0.0.1"]);
    const stub = stage.use(counterClient(`dns:///users.internal:${server.port}`));
    const hardened = stage.use(harden(stub, { insecure: true }, names));

    const result = await unary(hardened, "x");

    expect([ending(result), names.asked]).toEqual(["OK", ["users.internal"]]);
  });
});

describe("a static target with host names", () => {
  it("is looked up for each dial, so that a server that moved is found again", async () => {
    const server = await stage.server();
    const { port } = server;
    const old = stage.use(await Forwarder.start(port, { host: "127.0.0.2", port }));
    const names = dns(["127.0.0.2"]);
    const { client, channel, events } = stage.harden(`static:///node-1:${port}`, QUICK, names);
    await unary(client, "before");
    const moved = stage.use(await Forwarder.start(port, { host: "127.0.0.3", port }));

    names.answer = ["127.0.0.3"];
    await old.close();
    await events.first("connection.lost");
    const result = await unary(client, "after", patient);

    expect(ending(result)).toBe("OK");
    expect(moved.connections).toBe(1);
    expect(new Set(names.asked)).toEqual(new Set(["node-1"]));
    expect(channel.endpoints().map(({ address }) => address)).toEqual([`node-1:${port}`]);
  });

  it("tries the addresses of a name in turn, until one answers", async () => {
    const server = await stage.server();
    const names = dns(["127.0.0.9", "127.0.0.1"]);
    const { client, events } = stage.harden(`static:///node-1:${server.port}`, QUICK, names);

    const result = await unary(client, "x", patient);

    expect(ending(result)).toBe("OK");
    expect(events.count("endpoint.state", { to: "TRANSIENT_FAILURE" })).toBe(1);
  });
});
