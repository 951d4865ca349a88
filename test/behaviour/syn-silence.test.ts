import { connectivityState, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { ClientSockets } from "../support/client-sockets.js";
import { unary } from "../support/counting-server.js";
import { endings, failureOf, Stage } from "../support/stage.js";
import { canDropSyn, SynSilence } from "../support/syn-silence.js";

const dropping = canDropSyn();
const skipped = dropping.ok ? "" : ` (skipped: ${dropping.reason})`;
const stage = new Stage();

/** A host that is gone, or a firewall that drops: connects neither succeed nor fail. */
describe.skipIf(!dropping.ok)(`a host that answers no SYN${skipped}`, () => {
  it("fails the dial at connectTimeoutMs and leaves no socket, where bare grpc-js goes on connecting (R59)", async () => {
    const server = await stage.server();
    const silence = stage.use(SynSilence.start(server.port));
    stage.use(new ClientSockets());
    const bare = stage.bare([server]);
    bare.getChannel().getConnectivityState(true);
    await silence.dropped(1);
    const sockets = stage.use(new ClientSockets());
    const { client } = stage.harden([server], { connectTimeoutMs: 150, retry: { maxAttempts: 1 } });

    const error = failureOf(await unary(client, "x"));

    expect(error).toMatchObject({ code: status.UNAVAILABLE, reason: "DIAL_FAILED", processed: "no" });
    expect(error.details).toContain("no TCP connection within 150 ms");
    expect([sockets.all.length, sockets.open.length]).toEqual([1, 0]);
    expect(bare.getChannel().getConnectivityState(false)).toBe(connectivityState.CONNECTING);
  });

  it("leaves no socket when the channel is closed while it connects, where bare grpc-js leaves one", async () => {
    const server = await stage.server();
    const silence = stage.use(SynSilence.start(server.port));
    const [ours, theirs] = [stage.use(new ClientSockets()), stage.use(new ClientSockets())];
    const { channel, events } = stage.harden([server]);
    channel.getConnectivityState(true);
    await silence.dropped(1);
    await channel.close();
    const left = ours.open.length;

    const bare = stage.bare([server]);
    bare.getChannel().getConnectivityState(true);
    await silence.dropped(2);
    bare.close();

    expect(events.count("endpoint.state", { to: "CONNECTING" })).toBe(1);
    expect(left).toBe(0);
    expect(theirs.open.length).toBe(1);
  });

  it("settles the queued calls at once when the channel is destroyed while it connects", async () => {
    const server = await stage.server();
    const silence = stage.use(SynSilence.start(server.port));
    const sockets = stage.use(new ClientSockets());
    const { channel, client } = stage.harden([server]);
    const calls = [unary(client, "a"), unary(client, "b")];
    await silence.dropped(1);

    channel.destroy();

    expect(endings(await Promise.all(calls))).toEqual({ "CANCELLED CLIENT_CLOSED no": 2 });
    expect(sockets.open).toEqual([]);
  });

  it("fails no call while another endpoint answers, and finds the silent one again when the network heals", async () => {
    const [lost, up] = [await stage.server(), await stage.server()];
    const silence = stage.use(SynSilence.start(lost.port));
    const { client, events } = stage.harden([lost, up], {
      connectTimeoutMs: 100,
      reconnectBackoff: { initialMs: 100, maxMs: 100 },
    });

    const results = [];
    for (let call = 0; call < 20; call++) results.push(await unary(client, "x"));
    await events.first("endpoint.state", { endpoint: lost.address, to: "TRANSIENT_FAILURE" });
    silence.close();
    await events.ready(lost.address);

    expect(endings(results)).toEqual({ OK: 20 });
    expect([lost.executions.Unary, up.executions.Unary]).toEqual([0, 20]);
  });
});
