import { connectivityState, status } from "@grpc/grpc-js";
import { callOptions, isReason } from "holdfast";
import { describe, expect, it } from "vitest";
import { collect, hang, unary, unavailable } from "../support/counting-server.js";
import { until } from "../support/event-loop.js";
import { acceptOnly } from "../support/silent-server.js";
import { ending, endings, failureOf, Stage } from "../support/stage.js";

const stage = new Stage();

describe("a call on a closed channel", () => {
  it("fails CLIENT_CLOSED as CANCELLED, so that no loop over UNAVAILABLE spins on it", async () => {
    const server = await stage.server();
    const { client, channel } = stage.harden([server]);
    await unary(client, "x");
    await channel.close();

    const error = failureOf(await unary(client, "x", callOptions({ idempotent: true })));

    expect(error).toMatchObject({ code: status.CANCELLED, reason: "CLIENT_CLOSED", processed: "no" });
    expect(isReason(error, "CLIENT_CLOSED")).toBe(true);
    expect(server.executions.Unary).toBe(1);
  });

  it("fails the same on a channel that never connected, for streams and after destroy()", async () => {
    const server = await stage.server();
    const [closed, destroyed] = [stage.harden([server]), stage.harden([server])];

    await closed.channel.close();
    destroyed.channel.destroy();
    const ends = [
      await unary(closed.client, "x"),
      (await collect(closed.client.bidi())).status,
      await unary(destroyed.client, "x"),
      (await collect(destroyed.client.serverStream(Buffer.from("x")))).status,
    ];

    expect(endings(ends)).toEqual({ "CANCELLED CLIENT_CLOSED no": 4 });
    expect(server.peers.size).toBe(0);
  });

  it("stays closed: SHUTDOWN is final and may be asked for again", async () => {
    const server = await stage.server();
    const { channel, events } = stage.harden([server]);
    channel.getConnectivityState(true);
    await events.ready(server.address);

    await Promise.all([channel.close(), channel.close()]);
    channel.destroy();
    channel.getConnectivityState(true);

    expect(channel.getConnectivityState(false)).toBe(connectivityState.SHUTDOWN);
    expect(events.of("channel.state").at(-1)?.to).toBe("SHUTDOWN");
    expect(events.count("channel.state", { to: "SHUTDOWN" })).toBe(1);
  });
});

describe("close() with drainMs", () => {
  it("lets a running stream and a running call finish", async () => {
    const server = await stage.server();
    let answer = (): void => {};
    server.unary = (call, callback) => {
      answer = () => callback(null, call.request);
    };
    const { client, channel } = stage.harden([server]);
    const stream = client.bidi();
    const streamed = collect(stream);
    const call = unary(client, "x");
    await server.received(2);

    const closed = channel.close({ drainMs: 5_000 });
    const refused = unary(client, "too late");
    stream.write(Buffer.from("still here"));
    await new Promise((resolve) => stream.once("data", resolve));
    stream.end();
    const { texts, status: end } = await streamed;
    answer();
    await closed;

    expect([texts, ending(end), ending(await call)]).toEqual([["still here"], "OK", "OK"]);
    expect(ending(await refused)).toBe("CANCELLED CLIENT_CLOSED no");
  });

  it("ends what still runs after drainMs", async () => {
    const server = await stage.server({ handler: hang() });
    const { client, channel } = stage.harden([server]);
    const ends = [unary(client, "x"), collect(client.bidi()).then((result) => result.status)];
    await server.received(2);

    await channel.close({ drainMs: 50 });

    const [call, stream] = await Promise.all(ends);
    expect(ending(call!)).toBe("CANCELLED CLIENT_CLOSED maybe");
    expect(ending(stream!)).toBe("CANCELLED CLIENT_CLOSED maybe");
    await until(() => server.calls.every(({ isCancelled }) => isCancelled), "the end on the server");
  });

  it("lets a call that waits for its next attempt have it", async () => {
    const server = await stage.server();
    server.script([unavailable(), (call, callback) => callback(null, call.request)]);
    const { client, channel, events } = stage.harden([server], { retry: { backoff: { initialMs: 50 } } });
    const call = unary(client, "x", callOptions({ idempotent: true }));
    await events.first("call.retry");

    await channel.close();

    expect(ending(await call)).toBe("OK");
    expect(server.executions.Unary).toBe(2);
  });

  it("ends a call that waits for an endpoint when drainMs is over", async () => {
    const silent = stage.use(await acceptOnly());
    const { client, channel } = stage.harden([silent]);
    const call = unary(client, "x");
    await silent.accepted();

    await channel.close({ drainMs: 50 });

    expect(ending(await call)).toBe("CANCELLED CLIENT_CLOSED no");
    await silent.allClosed();
  });
});

describe("destroy(error)", () => {
  it("ends running calls and streams now, and says why", async () => {
    const server = await stage.server({ handler: hang() });
    const { client, channel } = stage.harden([server]);
    const call = unary(client, "x");
    const stream = collect(client.bidi());
    await server.received(2);

    channel.destroy(new Error("the configuration is gone"));

    const error = failureOf(await call);
    expect(error).toMatchObject({ code: status.CANCELLED, reason: "CLIENT_CLOSED", processed: "maybe" });
    expect(error.details).toContain("the configuration is gone");
    expect(ending((await stream).status)).toBe("CANCELLED CLIENT_CLOSED maybe");
  });

  it("ends a close() that is draining", async () => {
    const server = await stage.server({ handler: hang() });
    const { client, channel } = stage.harden([server]);
    const call = unary(client, "x");
    await server.received();

    const closed = channel.close({ drainMs: 600_000 });
    channel.destroy();
    await closed;

    expect(ending(await call)).toBe("CANCELLED CLIENT_CLOSED maybe");
  });

  it("ends a call between two attempts", async () => {
    const server = await stage.server({ handler: unavailable() });
    const { client, channel, events } = stage.harden([server], {
      retry: { backoff: { kind: "fixed", initialMs: 600_000, maxMs: 600_000 } },
    });
    const call = unary(client, "x", callOptions({ idempotent: true }));
    await events.first("call.retry");

    channel.destroy();

    expect(ending(await call)).toBe("CANCELLED CLIENT_CLOSED maybe");
  });
});
