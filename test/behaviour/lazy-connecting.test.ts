import { connectivityState } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { ClientSockets } from "../support/client-sockets.js";
import { unary } from "../support/counting-server.js";
import { turns } from "../support/event-loop.js";
import { ending, Stage } from "../support/stage.js";

const stage = new Stage();

describe("a new channel", () => {
  it("opens no socket and asks no resolver before the first call", async () => {
    const server = await stage.server();
    const sockets = stage.use(new ClientSockets());

    const { channel, events } = stage.harden([server]);
    await turns(5);

    expect(sockets.all).toEqual([]);
    expect(events.all).toEqual([]);
    expect(channel.getConnectivityState(false)).toBe(connectivityState.IDLE);
    expect(channel.stats()).toMatchObject({ state: "IDLE", callsInFlight: 0 });
  });

  it("tells of its first call: resolve, connect, ready, pick, in this order", async () => {
    const server = await stage.server();
    const { client, events } = stage.harden([server]);

    const result = await unary(client, "x");

    expect(ending(result)).toBe("OK");
    const steps = events.all.map((event) =>
      event.type === "endpoint.state" || event.type === "channel.state"
        ? `${event.type} ${event.to}`
        : event.type,
    );
    const told = ["resolver.resolving", "endpoint.state CONNECTING", "endpoint.state READY", "call.picked"];
    expect(steps.filter((step) => told.includes(step))).toEqual(told);
    expect(steps).toContain("resolver.endpoints");
    expect(steps.slice(steps.indexOf("call.picked"))).toEqual(["call.picked", "call.attempt"]);
  });

  it("tells no state twice", async () => {
    const servers = [await stage.server(), await stage.server()];
    const { client, events } = await stage.warm(servers);
    await unary(client, "x");

    const states = events.of("channel.state");

    expect(states.map(({ from, to }) => `${from} ${to}`)).toEqual(["IDLE CONNECTING", "CONNECTING READY"]);
    for (const { address } of servers) {
      const own = events.of("endpoint.state", { endpoint: address });
      expect(own.map(({ to }) => to)).toEqual(["CONNECTING", "READY"]);
    }
  });

  it("connects when it is asked to, without a call", async () => {
    const server = await stage.server();
    const { client, channel } = stage.harden([server]);

    await new Promise<void>((resolve, reject) => {
      client.waitForReady(Date.now() + 5_000, (error) => (error === undefined ? resolve() : reject(error)));
    });

    expect(channel.getConnectivityState(false)).toBe(connectivityState.READY);
    expect(server.executions.Unary).toBe(0);
  });
});

describe("a channel that was idle for idleTimeoutMs", () => {
  it("closes its connections, and connects again with the next call (R63)", async () => {
    const { server, proxy, address } = await stage.proxied();
    const { client, channel, events } = stage.harden(`static:///${address}`, { idleTimeoutMs: 1 });
    await unary(client, "before");

    await events.first("endpoint.state", { from: "READY", to: "IDLE" });
    await proxy.allClosed();
    const state = channel.getConnectivityState(false);
    const result = await unary(client, "after");

    expect([state, ending(result)]).toEqual([connectivityState.IDLE, "OK"]);
    expect([proxy.connections, server.executions.Unary]).toEqual([2, 2]);
  });
});
