import { callOptions, createChannel, isReason } from "holdfast";
import { describe, expect, it } from "vitest";
import { collect, unary } from "../support/counting-server.js";
import { ending, Stage } from "../support/stage.js";

const stage = new Stage();

describe("keepalive", () => {
  it("under 10,000 ms is refused when the channel is made, by name, value and reason (R64)", () => {
    const make = (): unknown =>
      createChannel("static:///127.0.0.1:1", { insecure: true, keepalive: { timeMs: 9_999 } });

    expect(make).toThrow(/keepalive\.timeMs.*10000.*allowAggressiveKeepalive.*too_many_pings/);
    try {
      make();
    } catch (error) {
      expect(isReason(error, "CONFIG_INVALID")).toBe(true);
    }
  });

  it("under 10,000 ms is taken where it is allowed, and finds a black hole without any call timing out (R67)", async () => {
    const proxied = await stage.proxied();
    const keepalive = { timeMs: 100, timeoutMs: 100, allowAggressiveKeepalive: true };
    const { client, events } = await stage.warm([proxied], {
      keepalive,
      reconnectBackoff: { initialMs: 10, maxMs: 10 },
    });
    const stream = client.bidi();
    const result = collect(stream);
    stream.write(Buffer.from("hello"));
    await new Promise((resolve) => stream.once("data", resolve));

    proxied.proxy.blackHoleOpen();
    const { status } = await result;

    expect(ending(status)).toBe("UNAVAILABLE CONNECTION_LOST yes");
    expect(events.count("connection.lost")).toBe(1);
    expect(ending(await unary(client, "x", callOptions({ waitForReady: true })))).toBe("OK");
  });

  it("is off by default: no ping reaches the server (R64)", async () => {
    const raw = await stage.raw(() => {});
    const { client } = await stage.warm([raw]);
    let pings = 0;
    raw.sessions[0]!.on("ping", () => pings++);

    await unary(client, "x", callOptions({ timeoutMs: 100, idempotent: false }));

    expect(pings).toBe(0);
  });
});
