import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { ok, unary, unavailable } from "../support/counting-server.js";
import { ending, endings, Stage } from "../support/stage.js";

const stage = new Stage();
const QUICK = { reconnectBackoff: { initialMs: 5, maxMs: 5 } };
const once = callOptions({ retry: false, timeoutMs: 3_000 });
const patient = callOptions({ retry: false, waitForReady: true, timeoutMs: 3_000 });

describe("calls that wait for ready while the breaker of the only endpoint is open", () => {
  it("are served when the server comes back after many failed dials", async () => {
    const { server, proxy, address } = await stage.proxied();
    await proxy.refuse();
    const { client, events } = stage.harden(`static:///${address}`, QUICK);
    const waiting = Array.from({ length: 10 }, () => unary(client, "x", patient));
    await events.first("breaker.state", { to: "open" });

    await proxy.pass();

    expect(endings(await Promise.all(waiting))).toEqual({ OK: 10 });
    expect(server.executions.Unary).toBe(10);
  });

  it("are served when a probe is due, without another call or event to wake them", async () => {
    const server = await stage.server({ handler: unavailable() });
    const { client, events } = await stage.warm([server], {
      breaker: { consecutiveFailures: 2, openMs: 50 },
    });
    for (let call = 0; call < 2; call++) await unary(client, "x", once);
    await events.first("breaker.state", { to: "open" });
    server.unary = ok("back");

    const waiting = Array.from({ length: 5 }, () => unary(client, "x", patient));

    expect(endings(await Promise.all(waiting))).toEqual({ OK: 5 });
  });
});

describe("a server that comes back after many failed dials", () => {
  it("fails none of the calls that arrive together, though only one of them is the probe", async () => {
    const { proxy, address } = await stage.proxied();
    await proxy.refuse();
    const { client, channel, events } = stage.harden(`static:///${address}`, QUICK);
    channel.getConnectivityState(true);
    await events.first("breaker.state", { to: "open" });

    await proxy.pass();
    await events.first("endpoint.state", { to: "READY" });
    const results = await Promise.all(Array.from({ length: 10 }, () => unary(client, "x", once)));

    expect(results.map(ending)).toEqual(Array(10).fill("OK"));
  });
});
