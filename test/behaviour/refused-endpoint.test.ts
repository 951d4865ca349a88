import { status } from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { hang, unary } from "../support/counting-server.js";
import { ending, endings, failureOf, reachAll, Stage } from "../support/stage.js";

const stage = new Stage();
const QUICK = { reconnectBackoff: { initialMs: 20, maxMs: 40 } };

/** A server that died and whose host answers connects with RST. */
describe("one of two endpoints refuses connections", () => {
  it("fails no call and never sends one to the endpoint that is down", async () => {
    const [down, up] = [await stage.proxied(), await stage.server()];
    await down.proxy.refuse();
    const { client, events } = stage.harden([down, up], QUICK);

    const results = [];
    for (let call = 0; call < 50; call++) results.push(await unary(client, "x"));

    expect(endings(results)).toEqual({ OK: 50 });
    expect(new Set(events.picks)).toEqual(new Set([up.address]));
    expect([down.server.executions.Unary, up.executions.Unary]).toEqual([0, 50]);
  });

  it("uses the endpoint again once it is back, with the same client object", async () => {
    const [down, up] = [await stage.proxied(), await stage.server()];
    await down.proxy.refuse();
    const { client, events } = stage.harden([down, up], QUICK);
    await unary(client, "while it is down");
    await events.first("endpoint.state", { endpoint: down.address, to: "TRANSIENT_FAILURE" });

    await down.proxy.pass();
    await events.first("endpoint.state", { endpoint: down.address, to: "READY" });
    const results = [];
    for (let call = 0; call < 10; call++) results.push(await unary(client, "x"));

    expect(endings(results)).toEqual({ OK: 10 });
    expect(down.server.executions.Unary).toBe(5);
  });

  it("uses the endpoint again at once when the application says so, whatever the backoff", async () => {
    const down = await stage.proxied();
    await down.proxy.refuse();
    const { client, channel, events } = stage.harden([down], {
      reconnectBackoff: { initialMs: 600_000, maxMs: 600_000 },
    });
    channel.getConnectivityState(true);
    await events.first("endpoint.state", { to: "TRANSIENT_FAILURE" });

    await down.proxy.pass();
    channel.resetBackoff();
    const result = await unary(client, "x", callOptions({ waitForReady: true }));

    expect(ending(result)).toBe("OK");
  });

  it("moves idempotent calls in flight elsewhere when a server dies, where bare grpc-js fails them", async () => {
    const [dying, up] = [await stage.proxied(), await stage.server()];
    const { client } = await stage.warm([dying, up], QUICK);
    const bare = stage.bare([dying, up]);
    await reachAll(bare, [dying.server, up]);
    dying.server.unary = hang();
    const reached = dying.server.calls.length;
    const idempotent = callOptions({ idempotent: true });

    const ours = Array.from({ length: 10 }, () => unary(client, "ours", idempotent));
    const theirs = Array.from({ length: 10 }, () => unary(bare, "bare"));
    await dying.server.received(reached + 10);
    await dying.proxy.refuse();
    dying.proxy.resetAll();

    expect(endings(await Promise.all(ours))).toEqual({ OK: 10 });
    expect(endings(await Promise.all(theirs))).toEqual({ OK: 5, UNAVAILABLE: 5 });
  });
});

describe("every endpoint refuses connections", () => {
  it("fails a call at once, and says who refused it and that the server did not run it", async () => {
    const [first, second] = [await stage.proxied(), await stage.proxied()];
    await Promise.all([first.proxy.refuse(), second.proxy.refuse()]);
    const { client } = stage.harden([first, second], { ...QUICK, retry: { maxAttempts: 1 } });

    const error = failureOf(await unary(client, "x"));

    expect(error).toMatchObject({ code: status.UNAVAILABLE, reason: "DIAL_FAILED", processed: "no" });
    expect(error.details).toContain("ECONNREFUSED");
  });
});
