import { status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ConnectProxy } from "../support/connect-proxy.js";
import { unary } from "../support/counting-server.js";
import { ending, failureOf, type Hardened, Stage } from "../support/stage.js";

const stage = new Stage();
const VARIABLES = ["grpc_proxy", "https_proxy", "http_proxy", "no_grpc_proxy", "no_proxy"];

afterEach(() => vi.unstubAllEnvs());

/** A client in this environment, and in no other: ours is injected, grpc-js reads the process's. */
function hardenIn(env: Readonly<Record<string, string>>, target: string, lookup = neverAsked): Hardened {
  for (const name of VARIABLES) vi.stubEnv(name, env[name] ?? "");
  return stage.harden(target, { retry: { maxAttempts: 1 } }, { env, lookup });
}

const neverAsked = (host: string): Promise<never> =>
  Promise.reject(new Error(`${host} was looked up, though only the proxy knows it`));

describe("an HTTP proxy in the environment", () => {
  it("carries calls to a name that only the proxy can resolve", async () => {
    const server = await stage.server();
    const proxy = stage.use(await ConnectProxy.start(() => server.port));
    const { client } = hardenIn({ http_proxy: proxy.url }, "dns:///users.internal:50051");

    const results = [await unary(client, "a"), await unary(client, "b")];

    expect(results.map(ending)).toEqual(["OK", "OK"]);
    expect(proxy.asked).toEqual(["users.internal:50051"]);
    expect(server.executions.Unary).toBe(2);
  });

  it("carries calls to each endpoint of a static target", async () => {
    const [first, second] = [await stage.server(), await stage.server()];
    const proxy = stage.use(await ConnectProxy.start((authority) => Number(authority.split(":")[1])));
    const target = `static:///${first.address},${second.address}`;
    const { client, channel, events } = hardenIn({ grpc_proxy: proxy.url }, target);
    channel.getConnectivityState(true);
    await events.ready(first.address, second.address);

    for (let call = 0; call < 4; call++) await unary(client, "x");

    expect(new Set(proxy.asked)).toEqual(new Set([first.address, second.address]));
    expect([first.executions.Unary, second.executions.Unary]).toEqual([2, 2]);
  });

  it("is left out for hosts that no_proxy names", async () => {
    const server = await stage.server();
    const proxy = stage.use(await ConnectProxy.start(() => server.port));
    const env = { http_proxy: proxy.url, no_proxy: "127.0.0.1,users.internal" };
    const byAddress = hardenIn(env, `static:///${server.address}`);
    const byName = hardenIn(env, `dns:///users.internal:${server.port}`, (() =>
      Promise.resolve(["127.0.0.1"])) as never);

    const results = [await unary(byAddress.client, "x"), await unary(byName.client, "x")];

    expect(results.map(ending)).toEqual(["OK", "OK"]);
    expect(proxy.asked).toEqual([]);
  });

  it("that refuses fails the dial instead of hanging", async () => {
    const proxy = stage.use(await ConnectProxy.start(() => 1));
    proxy.refusal = 403;
    const { client } = hardenIn({ http_proxy: proxy.url }, "dns:///users.internal:50051");

    const error = failureOf(await unary(client, "x"));

    expect(error).toMatchObject({ code: status.UNAVAILABLE, reason: "DIAL_FAILED", processed: "no" });
    expect(proxy.asked).toEqual(["users.internal:50051"]);
  });

  it("that is down fails the dial by its own address", async () => {
    const server = await stage.server();
    const proxy = await ConnectProxy.start(() => server.port);
    const { url } = proxy;
    await proxy.close();
    const { client } = hardenIn({ http_proxy: url }, "dns:///users.internal:50051");

    const error = failureOf(await unary(client, "x"));

    expect(error).toMatchObject({ reason: "DIAL_FAILED", processed: "no" });
    expect(error.details).toContain("ECONNREFUSED");
  });

  it("is not used where the environment names none", async () => {
    const server = await stage.server();
    const { client } = hardenIn({}, `static:///${server.address}`);

    expect(ending(await unary(client, "x"))).toBe("OK");
  });
});
