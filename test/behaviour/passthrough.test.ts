import { status } from "@grpc/grpc-js";
import { callOptions, harden } from "holdfast";
import { describe, expect, it } from "vitest";
import { configErrorOf } from "../support/config-error.js";
import { counterClient, hang, ok, unary, unavailable } from "../support/counting-server.js";
import { ending, endings, failureOf, Stage, startUnary } from "../support/stage.js";

const stage = new Stage();
const QUICK_RETRY = { retry: { backoff: { initialMs: 1, maxMs: 1 } } };

/** Nobody listens there: a server that is gone. */
async function deadAddress(): Promise<string> {
  const server = await stage.server();
  await server.stop();
  return server.address;
}

describe("a channel that passes its target through to grpc-js", () => {
  it("calls the server that grpc-js finds, over one connection", async () => {
    const server = await stage.server();
    const { client } = stage.harden(`passthrough:///dns:///localhost:${server.port}`);

    const results = [await unary(client, "a"), await unary(client, "b")];

    expect(endings(results)).toEqual({ OK: 2 });
    expect(server.peers.size).toBe(1);
  });

  it("shows it as one endpoint, by the name that grpc-js has for it", async () => {
    const server = await stage.server();
    const { client, channel } = stage.harden(`passthrough:///ipv4:${server.address}`);
    await unary(client, "x");

    const stats = channel.stats();

    expect(channel.getTarget()).toBe(`passthrough:///ipv4:${server.address}`);
    expect(stats).toMatchObject({ target: channel.getTarget(), state: "READY", discovery: [] });
    expect(stats.endpoints).toMatchObject([{ address: `ipv4:${server.address}`, state: "READY", picks: 1 }]);
  });

  it("connects nothing before the first call", async () => {
    const server = await stage.server();
    const { channel } = stage.harden(`passthrough:///${server.address}`);

    expect([channel.stats().state, server.peers.size]).toEqual(["IDLE", 0]);
  });

  it("repeats idempotent calls that failed", async () => {
    const server = await stage.server();
    server.script([unavailable(), unavailable(), ok("done")]);
    const { client } = stage.harden(`passthrough:///${server.address}`, QUICK_RETRY);

    const result = await unary(client, "x", callOptions({ idempotent: true }));

    expect(ending(result)).toBe("OK");
    expect(server.calls.map(({ previousAttempts }) => previousAttempts)).toEqual([0, 1, 2]);
  });

  it("gives calls their deadline", async () => {
    const server = await stage.server({ handler: hang() });
    const { client } = stage.harden(`passthrough:///${server.address}`);

    const error = failureOf(await unary(client, "x", callOptions({ timeoutMs: 50 })));

    expect(error).toMatchObject({ code: status.DEADLINE_EXCEEDED, processed: "maybe" });
  });

  it("opens its breaker, and calls fail without reaching the server", async () => {
    const server = await stage.server({ handler: unavailable() });
    const { client, channel } = stage.harden(`passthrough:///${server.address}`, { retry: false });

    const results = [];
    for (let call = 0; call < 6; call++) results.push(await unary(client, "x"));

    expect(ending(results[5]!)).toBe("UNAVAILABLE CIRCUIT_OPEN no");
    expect(server.executions.Unary).toBe(5);
    expect(channel.endpoints()).toMatchObject([{ breaker: "open" }]);
  });

  it("says why a server cannot be reached", async () => {
    const address = await deadAddress();
    const { client } = stage.harden(`passthrough:///ipv4:${address}`, { retry: false });

    const error = failureOf(await unary(client, "x"));

    expect(error).toMatchObject({ code: status.UNAVAILABLE, processed: "no" });
    expect(error.details).toContain("ECONNREFUSED");
  });

  it("is ready when grpc-js has connected", async () => {
    const server = await stage.server();
    const { channel } = stage.harden(`passthrough:///${server.address}`);

    await channel.ready();

    expect(channel.stats().state).toBe("READY");
  });

  it("says how far grpc-js is when it is not ready in time", async () => {
    const address = await deadAddress();
    const { channel } = stage.harden(`passthrough:///ipv4:${address}`);

    await expect(channel.ready({ timeoutMs: 30 })).rejects.toThrow(
      `not ready after 30 ms: the channel of grpc-js to ipv4:${address} is TRANSIENT_FAILURE`,
    );
  });

  it("ends a wait for ready when it is closed", async () => {
    const address = await deadAddress();
    const { channel } = stage.harden(`passthrough:///ipv4:${address}`);
    const ready = channel.ready();
    const refused = expect(ready).rejects.toMatchObject({ reason: "CLIENT_CLOSED" });

    await channel.close();

    await refused;
  });

  it("is taken out of use by hand, by the address that it shows", async () => {
    const server = await stage.server();
    const { client, channel } = stage.harden(`passthrough:///${server.address}`);
    const [endpoint] = channel.endpoints();

    const isolation = channel.isolate(endpoint!.address);
    const during = await unary(client, "during");
    isolation.dispose();
    const after = await unary(client, "after");

    expect([ending(during), ending(after)]).toEqual(["UNAVAILABLE CIRCUIT_OPEN no", "OK"]);
    expect(() => channel.isolate("b:2")).toThrow(`"b:2" is no endpoint; allowed: dns:${server.address}`);
  });

  it("takes no endpoints by hand", async () => {
    const { channel } = stage.harden("passthrough:///a:1");

    expect(() => channel.updateEndpoints(["b:2"])).toThrow(
      "updateEndpoints: passthrough:///a:1 has no pool, as grpc-js chooses its servers; use another target",
    );
  });

  it("lets calls choose the compression that the channel has, and no other", async () => {
    const server = await stage.server();
    const { client } = stage.harden(`passthrough:///${server.address}`, { compression: "gzip" });

    const [same, other] = [
      await unary(client, "x", callOptions({ compression: "gzip" })),
      await unary(client, "x", callOptions({ compression: "deflate" })),
    ];

    expect([ending(same), ending(other)]).toEqual(["OK", "INTERNAL CONFIG_INVALID no"]);
  });

  it("may stand below a stub", async () => {
    const server = await stage.server();
    const stub = stage.use(counterClient("localhost:1"));
    const target = `passthrough:///${server.address}`;

    const hardened = stage.use(harden(stub, { target, insecure: true }));

    expect(ending(await unary(hardened, "x"))).toBe("OK");
    expect(hardened.getChannel().getTarget()).toBe(target);
  });
});

describe("the end of a channel that passes through", () => {
  it("lets running calls finish, and then closes the channel of grpc-js", async () => {
    const server = await stage.server();
    let answer = (): void => {};
    server.unary = (call, callback) => {
      answer = () => callback(null, call.request);
    };
    const { client, channel } = stage.harden(`passthrough:///${server.address}`);
    const call = unary(client, "x");
    await server.received();

    const closed = channel.close();
    const late = await unary(client, "late");
    answer();
    await closed;

    expect([ending(await call), ending(late)]).toEqual(["OK", "CANCELLED CLIENT_CLOSED no"]);
    expect(channel.stats().state).toBe("SHUTDOWN");
  });

  it("ends calls that run longer than drainMs", async () => {
    const server = await stage.server({ handler: hang() });
    const { client, channel } = stage.harden(`passthrough:///${server.address}`);
    const { result } = startUnary(client);
    await server.received();

    await channel.close({ drainMs: 0 });

    expect(failureOf(await result)).toMatchObject({ reason: "CLIENT_CLOSED" });
  });

  it("comes at once with destroy()", async () => {
    const server = await stage.server({ handler: hang() });
    const { client, channel } = stage.harden(`passthrough:///${server.address}`);
    const { result } = startUnary(client);
    await server.received();

    channel.destroy(new Error("enough"));

    expect(failureOf(await result).details).toContain("enough");
    expect(() => channel.destroy()).not.toThrow();
  });
});

describe("a target that grpc-js cannot resolve", () => {
  it.each([
    [
      "xds:///users",
      'grpc-js has no resolver of the scheme "xds"; call register() of the package @grpc/grpc-js-xds before the channel is made',
    ],
    ["zk:///users", 'grpc-js has no resolver of the scheme "zk"; register one before the channel is made'],
    ["zk:users", 'grpc-js has no resolver of the scheme "zk"'],
    ["\n", "grpc-js makes nothing of the target"],
  ])("%j is refused when the channel is made", (inner, problem) => {
    const error = configErrorOf(() => stage.harden(`passthrough:///${inner}`));

    expect(error.message).toContain(`${JSON.stringify(`passthrough:///${inner}`)}: ${problem}`);
  });

  it.each(["users:50051", "users", "::1", "ipv6:[::1]:1", "unix:/tmp/s", "dns:///users"])(
    "is not taken for one where it is %s",
    (inner) => {
      expect(() => stage.harden(`passthrough:///${inner}`)).not.toThrow();
    },
  );
});
