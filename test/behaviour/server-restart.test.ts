import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { type CallResult, hang, unary } from "../support/counting-server.js";
import { ending, endings, Stage } from "../support/stage.js";

const stage = new Stage();
const QUICK = { reconnectBackoff: { initialMs: 20, maxMs: 40 } };

describe("the only server is restarted", () => {
  it("is used again by the same client object, without a line of user code", async () => {
    const server = await stage.server();
    const { client, events } = stage.harden([server], QUICK);
    const results = [await unary(client, "before")];

    await server.stop();
    await events.nth(1, "endpoint.state", { to: "TRANSIENT_FAILURE" });
    results.push(await unary(client, "during", callOptions({ retry: false })));
    await server.restart();
    await events.nth(2, "endpoint.state", { to: "READY" });
    results.push(await unary(client, "after"));

    expect(results.map(ending)).toEqual(["OK", "UNAVAILABLE DIAL_FAILED no", "OK"]);
  });

  it("fails no call that waits for ready", async () => {
    const server = await stage.server();
    const { client, events, channel } = stage.harden([server], QUICK);
    await unary(client, "before");
    await server.stop();
    await events.first("endpoint.state", { to: "TRANSIENT_FAILURE" });

    const waiting = Array.from({ length: 10 }, () => unary(client, "x", callOptions({ waitForReady: true })));
    await events.nth(3, "endpoint.state", { to: "TRANSIENT_FAILURE" });
    const queued = channel.stats().callsQueued;
    await server.restart();

    expect(queued).toBe(10);
    expect(endings(await Promise.all(waiting))).toEqual({ OK: 10 });
  });

  it("says that a call which ran when the server was forced down may have run", async () => {
    const server = await stage.server({ handler: hang() });
    const { client } = stage.harden([server], QUICK);
    const call = unary(client, "x");
    await server.received();

    await server.stop();
    const result = await call;

    expect(result.ok).toBe(false);
    expect(ending(result)).toMatch(/maybe$/);
    expect(server.executions.Unary).toBe(1);
  });
});

describe("two servers are restarted in turn, as by a deployment", () => {
  it("fails no idempotent call", async () => {
    const servers = [await stage.server(), await stage.server()];
    const { client, events } = await stage.warm(servers, QUICK);
    const results: CallResult[] = [];
    let isOver = false;

    const load = (async () => {
      while (!isOver) results.push(await unary(client, "x", callOptions({ idempotent: true })));
    })();
    for (const server of servers) {
      await server.drain();
      await events.next("call.picked");
      await server.restart();
      await events.nth(2, "endpoint.state", { endpoint: server.address, to: "READY" });
    }
    isOver = true;
    await load;

    expect(Object.keys(endings(results))).toEqual(["OK"]);
    expect(results.length).toBeGreaterThanOrEqual(2);
  });
});
