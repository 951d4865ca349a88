import { afterAll, describe, expect, it } from "vitest";
import { ScriptedScheme } from "../discovery/scripted-scheme.js";
import { type CounterClient, collect, unary } from "../support/counting-server.js";
import { PacedLoad } from "../support/paced-load.js";
import { ending, endings, Stage } from "../support/stage.js";

const stage = new Stage();
const scheme = new ScriptedScheme("test-wire");
afterAll(() => scheme.dispose());

/** A client of a registry that has told it of these servers. */
async function clientOf(servers: readonly { readonly address: string }[], options: object = {}) {
  const hardened = stage.harden(scheme.target("registry"), options);
  hardened.channel.getConnectivityState(true);
  const registry = scheme.source("registry");
  registry.answer(...servers.map(({ address }) => address));
  await hardened.events.ready(...servers.map(({ address }) => address));
  return { ...hardened, registry };
}

/** A stream that has exchanged its first message. */
async function openStream(client: CounterClient) {
  const stream = client.bidi();
  const result = collect(stream);
  stream.write(Buffer.from("hello"));
  await new Promise((resolve) => stream.once("data", resolve));
  return { stream, result };
}

describe("D15, D16: a registry that changes its mind under load", () => {
  it("costs no call, gives new servers their share, and removed ones nothing after their drain", async () => {
    const servers = [await stage.proxied(), await stage.proxied(), await stage.proxied()] as const;
    const [first, second, third] = servers;
    const { client, channel, events, registry } = await clientOf([first]);
    const load = new PacedLoad(client, {}, { everyMs: 2 });

    registry.answer(first.address, second.address, third.address);
    await events.ready(second.address, third.address);
    await load.more(30);
    registry.answer(second.address, third.address);
    await first.proxy.allClosed();
    const atRemoval = first.server.executions.Unary;
    await load.more(30);
    const results = await load.stop();

    expect(endings(results)).toEqual({ OK: results.length });
    expect(first.server.executions.Unary).toBe(atRemoval);
    expect(Math.min(second.server.executions.Unary, third.server.executions.Unary)).toBeGreaterThan(10);
    expect(servers.map(({ proxy }) => proxy.connections)).toEqual([1, 1, 1]);
    expect(channel.endpoints().map(({ address }) => address)).toEqual([second.address, third.address]);
    expect(events.of("resolver.endpoints").map(({ total }) => total)).toEqual([1, 3, 2]);
  });

  it("costs no call when it loses everything for a moment, or is down", async () => {
    const servers = [await stage.proxied(), await stage.proxied()] as const;
    const { client, events, registry } = await clientOf(servers);
    const load = new PacedLoad(client, {}, { everyMs: 2 });

    registry.answer();
    await events.first("resolver.held");
    await load.more(10);
    registry.fail("the registry restarts");
    await events.first("resolver.failed");
    registry.answer(servers[0].address);
    await load.more(10);
    registry.answer(...servers.map(({ address }) => address));
    await load.more(10);
    const results = await load.stop();

    expect(endings(results)).toEqual({ OK: results.length });
    expect(servers.map(({ proxy }) => proxy.connections)).toEqual([1, 1]);
    expect(events.count("resolver.endpoints")).toBe(1);
  });
});

describe("a stream on an endpoint that the registry takes away", () => {
  it("ends by itself, while new calls go elsewhere", async () => {
    const [old, next] = [await stage.proxied(), await stage.proxied()];
    const { client, registry, events } = await clientOf([old]);
    const { stream, result } = await openStream(client);

    registry.answer(next.address);
    await events.ready(next.address);
    const call = await unary(client, "x");
    stream.write(Buffer.from("still here"));
    stream.end();
    const { texts, status } = await result;
    await old.proxy.allClosed();

    expect([ending(call), ending(status)]).toEqual(["OK", "OK"]);
    expect(texts).toEqual(["hello", "still here"]);
    expect([old.server.executions.Unary, next.server.executions.Unary]).toEqual([0, 1]);
    expect(events.count("connection.lost")).toBe(0);
  });
});
