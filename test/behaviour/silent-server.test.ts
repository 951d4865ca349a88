import tls from "node:tls";
import { connectivityState, credentials, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { ClientSockets } from "../support/client-sockets.js";
import { unary } from "../support/counting-server.js";
import { acceptOnly } from "../support/silent-server.js";
import { endings, failureOf, Stage } from "../support/stage.js";
import { testAuthority } from "../support/tls-certs.js";

const stage = new Stage();
const ONE_TRY = { connectTimeoutMs: 150, retry: { maxAttempts: 1 } };

/** A hung server whose kernel still accepts, or a port that belongs to something that is not gRPC. */
describe("a server that accepts and stays silent", () => {
  it("fails the dial at connectTimeoutMs and hangs up, where bare grpc-js goes on connecting (R59, R171)", async () => {
    const silent = stage.use(await acceptOnly());
    const bare = stage.bare([silent]);
    bare.getChannel().getConnectivityState(true);
    await silent.accepted(1);
    const sockets = stage.use(new ClientSockets());
    const { client, channel } = stage.harden([silent], ONE_TRY);

    const error = failureOf(await unary(client, "x"));

    expect(error).toMatchObject({ code: status.UNAVAILABLE, reason: "DIAL_FAILED", processed: "no" });
    expect(error.details).toContain("TCP connected, but no SETTINGS arrived within 150 ms");
    expect(channel.endpoints()[0]).toMatchObject({ state: "TRANSIENT_FAILURE" });
    expect([sockets.all.length, sockets.open.length]).toEqual([1, 0]);
    expect(bare.getChannel().getConnectivityState(false)).toBe(connectivityState.CONNECTING);
  });

  it("dials again after the backoff, each time with a fresh connection (R171)", async () => {
    const silent = stage.use(await acceptOnly());
    const { channel, events } = stage.harden([silent], {
      connectTimeoutMs: 60,
      reconnectBackoff: { initialMs: 60, maxMs: 60 },
    });

    channel.getConnectivityState(true);
    await events.nth(3, "endpoint.state", { to: "TRANSIENT_FAILURE" });

    expect(silent.acceptedCount).toBe(3);
  });

  it("hangs up at once when the channel is closed while it connects, where bare grpc-js does not", async () => {
    const silent = stage.use(await acceptOnly());
    const [ours, theirs] = [stage.use(new ClientSockets()), stage.use(new ClientSockets())];
    const { channel } = stage.harden([silent]);
    channel.getConnectivityState(true);
    await silent.accepted(1);

    await channel.close();
    const left = ours.open.length;
    await silent.allClosed();
    const bare = stage.bare([silent]);
    bare.getChannel().getConnectivityState(true);
    await silent.accepted(2);
    bare.close();

    expect(left).toBe(0);
    expect([theirs.open.length, silent.openCount]).toEqual([1, 1]);
  });

  it("fails no call while another endpoint answers", async () => {
    const [silent, up] = [stage.use(await acceptOnly()), await stage.server()];
    const { client, events } = stage.harden([silent, up], ONE_TRY);

    const results = [];
    for (let call = 0; call < 20; call++) results.push(await unary(client, "x"));
    const failed = await events.first("endpoint.state", {
      endpoint: silent.address,
      to: "TRANSIENT_FAILURE",
    });
    results.push(await unary(client, "after the dial failed"));

    expect(failed.cause).toContain("no SETTINGS arrived");
    expect(endings(results)).toEqual({ OK: 21 });
  });
});

describe("a TLS endpoint that stays silent", () => {
  it("fails the dial at connectTimeoutMs when the handshake is not answered (R59)", async () => {
    const silent = stage.use(await acceptOnly());
    const sockets = stage.use(new ClientSockets());
    const { client } = stage.harden([silent], { ...ONE_TRY, credentials: credentials.createSsl() });

    const error = failureOf(await unary(client, "x"));

    expect(error).toMatchObject({ reason: "DIAL_FAILED", processed: "no" });
    expect(sockets.open).toEqual([]);
    await silent.allClosed();
  });

  it("fails the dial at connectTimeoutMs when SETTINGS never follow the handshake (R59)", async () => {
    const certificate = await (await testAuthority()).server();
    const mute = tls.createServer({ ...certificate, ALPNProtocols: ["h2"] }, (socket) => {
      socket.resume().on("error", () => {});
    });
    await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
    stage.use({ close: () => new Promise((resolve) => mute.close(resolve)) });
    const { port } = mute.address() as { port: number };
    const sockets = stage.use(new ClientSockets());
    const handshakes = new Promise((resolve) => mute.once("secureConnection", resolve));
    const secure = credentials.createSsl(certificate.ca);
    const { client } = stage.harden([{ address: `127.0.0.1:${port}` }], { ...ONE_TRY, credentials: secure });

    const error = failureOf(await unary(client, "x"));

    await handshakes;
    expect(error).toMatchObject({ reason: "DIAL_FAILED", processed: "no" });
    expect(error.details).toContain("no SETTINGS arrived within 150 ms");
    expect(sockets.open).toEqual([]);
  });
});
