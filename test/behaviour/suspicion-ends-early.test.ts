import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { collect, unary } from "../support/counting-server.js";
import { ending, Stage } from "../support/stage.js";

const stage = new Stage();
const OPTIONS = {
  attemptTimeoutMs: 150,
  connectTimeoutMs: 600_000,
  drainMs: 50,
  reconnectBackoff: { initialMs: 10, maxMs: 10 },
  retry: { backoff: { kind: "immediate" as const } },
};
const idempotent = callOptions({ idempotent: true, timeoutMs: 5_000 });

/**
 * Two endpoints, the first one in a black hole with a stream in flight: its health check was not answered, and the fresh
 * dial that decides is under way.
 */
async function dialledAfresh() {
  const [lost, up] = [await stage.proxied(), await stage.server()];
  const hardened = await stage.warm([lost], { ...OPTIONS, suspicion: { checkTimeoutMs: 50 } });
  const { client, channel, events } = hardened;
  const stream = client.bidi();
  const end = collect(stream).then(({ status }) => ending(status));
  stream.write(Buffer.from("hello"));
  await new Promise((resolve) => stream.once("data", resolve));
  channel.updateEndpoints([lost.address, up.address]);
  await events.ready(up.address);
  await lost.proxy.blackHole();
  await Promise.all([unary(client, "x", idempotent), unary(client, "x", idempotent)]);
  await lost.proxy.connected(2);
  return { ...hardened, lost, up, stream: { end } };
}

describe("while a fresh dial decides about a silent connection", () => {
  it("close() gives up the dial, and ends the calls on the silent connection after drainMs", async () => {
    const { channel, lost, stream } = await dialledAfresh();

    await channel.close();

    expect(await stream.end).toBe("CANCELLED CLIENT_CLOSED yes");
    await lost.proxy.allClosed();
  });

  it("destroy() gives up the dial and ends the calls on the silent connection at once", async () => {
    const { channel, lost, stream } = await dialledAfresh();

    channel.destroy();

    expect(await stream.end).toBe("CANCELLED CLIENT_CLOSED yes");
    await lost.proxy.allClosed();
  });

  it("removing the endpoint gives up the dial, and ends its calls after drainMs", async () => {
    const { channel, client, lost, stream, up } = await dialledAfresh();

    channel.updateEndpoints([up.address]);

    expect(await stream.end).toBe("UNAVAILABLE CONNECTION_LOST yes");
    expect(ending(await unary(client, "x"))).toBe("OK");
    await lost.proxy.allClosed();
  });

  it("a reset of the silent connection is one loss, and the endpoint is dialled as usual", async () => {
    const { client, events, lost, stream } = await dialledAfresh();

    lost.proxy.resetAll();
    await lost.proxy.pass();

    expect(await stream.end).toBe("UNAVAILABLE CONNECTION_LOST yes");
    await events.nth(2, "endpoint.state", { endpoint: lost.address, to: "READY" });
    expect(events.count("connection.lost", { endpoint: lost.address })).toBe(1);
    expect(ending(await unary(client, "x"))).toBe("OK");
  });
});

describe("while the health check of a silent connection runs", () => {
  for (const means of ["close", "destroy"] as const) {
    it(`${means}() leaves nothing behind`, async () => {
      const lost = await stage.proxied();
      const options = { ...OPTIONS, suspicion: { checkTimeoutMs: 600_000 } };
      const { client, channel, events } = await stage.warm([lost], options);
      await lost.proxy.blackHole();
      await unary(client, "x", callOptions({ retry: false }));
      await events.first("connection.suspect");

      await channel[means]();

      await lost.proxy.allClosed();
      expect(lost.proxy.connections).toBe(1);
    });
  }
});
