import { status } from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { collect, hang, unary } from "../support/counting-server.js";
import { ending, endings, failureOf, reachAll, Stage } from "../support/stage.js";

const stage = new Stage();
const IMMEDIATE = { retry: { backoff: { kind: "immediate" as const } } };
const PICK_FIRST = { ...IMMEDIATE, loadBalancing: "pick_first" as const };
const RETRY_POLICY = {
  methodConfig: [
    {
      name: [{}],
      retryPolicy: {
        maxAttempts: 3,
        initialBackoff: "0.01s",
        maxBackoff: "0.01s",
        backoffMultiplier: 1,
        retryableStatusCodes: ["UNAVAILABLE"],
      },
    },
  ],
  loadBalancingConfig: [{ round_robin: {} }],
};

describe("a connection is reset before the request", () => {
  it("sends the next call over a new connection, without a failure", async () => {
    const proxied = await stage.proxied();
    const { client, events } = stage.harden([proxied], { reconnectBackoff: { initialMs: 10, maxMs: 10 } });
    await unary(client, "x");

    proxied.proxy.resetAll();
    const lost = await events.first("connection.lost");
    const result = await unary(client, "x");

    expect(lost).toMatchObject({ endpoint: proxied.address, callsInFlight: 0 });
    expect(ending(result)).toBe("OK");
    expect([proxied.proxy.connections, proxied.server.executions.Unary]).toEqual([2, 2]);
  });
});

describe("a connection is reset in the middle of the request", () => {
  const request = "x".repeat(20_000);

  it("does not repeat a call that is not idempotent, and says the server may have run it (R22)", async () => {
    const [broken, spare] = [await stage.proxied(), await stage.server()];
    await broken.proxy.resetAfterClientBytes(10_000);
    const { client } = stage.harden([broken, spare], PICK_FIRST);

    const error = failureOf(await unary(client, request));

    expect(error).toMatchObject({ code: status.UNAVAILABLE, reason: "CONNECTION_LOST", processed: "maybe" });
    expect(error.attempts).toMatchObject([{ endpoint: broken.address, processed: "maybe" }]);
    expect(error.attempts[0]?.next).toContain("not declared idempotent");
    expect([broken.server.executions.Unary, spare.executions.Unary]).toEqual([0, 0]);
  });

  it("repeats an idempotent call on the other endpoint", async () => {
    const [broken, spare] = [await stage.proxied(), await stage.server()];
    await broken.proxy.resetAfterClientBytes(10_000);
    const { client, events } = stage.harden([broken, spare], PICK_FIRST);

    const result = await unary(client, request, callOptions({ idempotent: true }));

    expect(result).toEqual({ ok: true, text: request });
    expect(events.picks).toEqual([broken.address, spare.address]);
    expect(events.of("call.recovered")).toMatchObject([{ attempts: 2 }]);
  });
});

describe("a connection is reset after the handler ran", () => {
  it("runs a call that is not idempotent once, and says the server may have run it (R22)", async () => {
    const [broken, spare] = [await stage.proxied({ handler: hang() }), await stage.server()];
    const { client } = stage.harden([broken, spare], PICK_FIRST);
    const call = unary(client, "x");
    await broken.server.received();

    broken.proxy.resetAll();
    const error = failureOf(await call);

    expect(error).toMatchObject({ code: status.UNAVAILABLE, reason: "CONNECTION_LOST", processed: "maybe" });
    expect(error).toMatchObject({ origin: "local", attempts: [{ endpoint: broken.address }] });
    expect([broken.server.executions.Unary, spare.executions.Unary]).toEqual([1, 0]);
  });

  it("stands beside a bare retryPolicy, which runs such a call a second time", async () => {
    const [first, second] = [await stage.proxied(), await stage.proxied()];
    const servers = [first.server, second.server];
    const bare = stage.bare([first, second], RETRY_POLICY);
    await reachAll(bare, servers);
    const before = servers.map(({ calls }) => calls.length);
    first.server.unary = hang();

    const call = unary(bare, "x");
    const other = unary(bare, "x");
    await Promise.all([first.server.received(before[0]! + 1), other]);
    first.server.unary = (received, callback) => callback(null, received.request);
    first.proxy.resetAll();
    await call;

    const executions = servers.reduce((sum, { calls }, index) => sum + calls.length - before[index]!, 0);
    expect(executions).toBe(3);
  });

  it("repeats idempotent calls elsewhere, each once", async () => {
    const [broken, spare] = [await stage.proxied({ handler: hang() }), await stage.server()];
    const { client, channel } = stage.harden([broken, spare], PICK_FIRST);
    const calls = Array.from({ length: 5 }, () => unary(client, "x", callOptions({ idempotent: true })));
    await broken.server.received(5);

    broken.proxy.resetAll();

    expect(endings(await Promise.all(calls))).toEqual({ OK: 5 });
    expect([broken.server.executions.Unary, spare.executions.Unary]).toEqual([5, 5]);
    expect(channel.stats().calls).toMatchObject({ attempts: 10, retries: 5, failed: 0 });
  });

  it("says that the server ran a call whose answer had begun to arrive", async () => {
    const proxied = await stage.proxied();
    proxied.server.serverStream = (call) => void call.write(Buffer.from("first"));
    const { client } = stage.harden([proxied], IMMEDIATE);
    const stream = client.serverStream(Buffer.from("x"), callOptions({ idempotent: true }));
    const result = collect(stream);
    await new Promise((resolve) => stream.once("data", resolve));

    proxied.proxy.resetAll();
    const { texts, status: end } = await result;

    expect(texts).toEqual(["first"]);
    expect(ending(end)).toBe("UNAVAILABLE CONNECTION_LOST yes");
    expect(proxied.server.executions.ServerStream).toBe(1);
  });
});
