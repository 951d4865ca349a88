import { isReason } from "holdfast";
import { describe, expect, it } from "vitest";
import { type CounterClient, collect, unary } from "../support/counting-server.js";
import { until } from "../support/event-loop.js";
import { ending, endings, Stage } from "../support/stage.js";

const stage = new Stage();

/** A stream that has exchanged its first message. */
async function openStream(client: CounterClient) {
  const stream = client.bidi();
  const result = collect(stream);
  stream.write(Buffer.from("hello"));
  await new Promise((resolve) => stream.once("data", resolve));
  return { stream, result };
}

describe("an endpoint is removed while a stream runs on it", () => {
  it("lets the stream finish, sends new calls elsewhere, and closes the connection after it", async () => {
    const [old, next] = [await stage.proxied(), await stage.proxied()];
    const { client, channel, events } = await stage.warm([old]);
    const { stream, result } = await openStream(client);

    channel.updateEndpoints([next.address]);
    const calls = [];
    for (let call = 0; call < 5; call++) calls.push(await unary(client, "x"));
    stream.write(Buffer.from("still here"));
    stream.end();
    const { texts, status } = await result;
    await old.proxy.allClosed();

    expect(endings(calls)).toEqual({ OK: 5 });
    expect([texts, ending(status)]).toEqual([["hello", "still here"], "OK"]);
    expect([old.server.executions.Unary, next.server.executions.Unary]).toEqual([0, 5]);
    expect(channel.endpoints().map(({ address }) => address)).toEqual([next.address]);
    expect(events.of("connection.draining")).toMatchObject([{ endpoint: old.address }]);
    expect(events.count("connection.lost")).toBe(0);
  });

  it("ends the stream once drainMs is over", async () => {
    const [old, next] = [await stage.proxied(), await stage.server()];
    const { client, channel } = await stage.warm([old], { drainMs: 50 });
    const { result } = await openStream(client);

    channel.updateEndpoints([next.address]);

    expect(ending((await result).status)).toBe("UNAVAILABLE CONNECTION_LOST yes");
    await old.proxy.allClosed();
  });

  it("ends the stream at once when the channel is destroyed meanwhile", async () => {
    const [old, next] = [await stage.proxied(), await stage.server()];
    const { client, channel } = await stage.warm([old]);
    const { result } = await openStream(client);

    channel.updateEndpoints([next.address]);
    channel.destroy();

    expect(ending((await result).status)).toBe("CANCELLED CLIENT_CLOSED yes");
    await old.proxy.allClosed();
  });

  it("lets the stream finish when the channel is closed meanwhile", async () => {
    const [old, next] = [await stage.proxied(), await stage.server()];
    const { client, channel } = await stage.warm([old]);
    const { stream, result } = await openStream(client);

    channel.updateEndpoints([next.address]);
    const closed = channel.close();
    stream.end();
    await closed;

    expect(ending((await result).status)).toBe("OK");
    await old.proxy.allClosed();
  });
});

describe("updateEndpoints()", () => {
  it("keeps the connection of an endpoint that stays (R112)", async () => {
    const [kept, added] = [await stage.proxied(), await stage.server()];
    const { client, channel, events } = await stage.warm([kept]);
    await unary(client, "x");

    channel.updateEndpoints([added.address, kept.address]);
    await events.ready(added.address);
    for (let call = 0; call < 4; call++) await unary(client, "x");

    expect(kept.proxy.connections).toBe(1);
    expect([kept.server.executions.Unary, added.executions.Unary]).toEqual([3, 2]);
    expect(events.of("resolver.endpoints").at(-1)).toMatchObject({ added: [added.address], removed: [] });
  });

  it("gives up the dial of an endpoint that is removed while it connects", async () => {
    const [removed, up] = [await stage.proxied(), await stage.server()];
    await removed.proxy.acceptThenSilence();
    const { client, channel } = stage.harden([removed, up]);
    channel.getConnectivityState(true);
    await removed.proxy.connected();

    channel.updateEndpoints([up.address]);
    await removed.proxy.allClosed();

    expect(ending(await unary(client, "x"))).toBe("OK");
    expect(channel.endpoints().length).toBe(1);
  });

  it("serves calls that were waiting for the old endpoints from the new ones", async () => {
    const [silent, up] = [await stage.proxied(), await stage.server()];
    await silent.proxy.acceptThenSilence();
    const { client, channel } = stage.harden([silent]);
    const calls = [unary(client, "a"), unary(client, "b")];
    await until(() => channel.stats().callsQueued === 2, "two queued calls");

    channel.updateEndpoints([up.address]);

    expect(endings(await Promise.all(calls))).toEqual({ OK: 2 });
  });

  it("refuses an empty list and malformed addresses, and keeps the endpoints it has (R112)", async () => {
    const server = await stage.server();
    const { client, channel } = await stage.warm([server]);

    const refused = [[], ["nonsense"], [server.address, server.address]].map((set) => {
      try {
        channel.updateEndpoints(set);
        return null;
      } catch (error) {
        return error;
      }
    });

    expect(refused.map((error) => isReason(error, "CONFIG_INVALID"))).toEqual([true, true, true]);
    expect(ending(await unary(client, "x"))).toBe("OK");
  });
});
