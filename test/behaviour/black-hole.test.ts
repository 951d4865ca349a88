import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { collect, hang, unary } from "../support/counting-server.js";
import { ending, endings, reachAll, Stage } from "../support/stage.js";

const stage = new Stage();
const QUICK = {
  attemptTimeoutMs: 300,
  connectTimeoutMs: 150,
  suspicion: { checkTimeoutMs: 100 },
  reconnectBackoff: { initialMs: 50, maxMs: 50 },
  retry: { backoff: { kind: "immediate" as const }, maxAttempts: 5 },
};
const idempotent = callOptions({ idempotent: true, timeoutMs: 5_000 });
/** Long enough for every story here: a check that is still waiting when the story ends. */
const PATIENT = { ...QUICK, suspicion: { checkTimeoutMs: 5_000 } };

/** A network that drops every packet, in both directions, while both ends believe in their connection. */
describe("one of two endpoints falls into a black hole while calls run, keepalive off", () => {
  it("moves idempotent calls elsewhere and sends no more there, where bare grpc-js loses every second", async () => {
    const [lost, up] = [await stage.proxied(), await stage.server()];
    const { client, events } = await stage.warm([lost, up], QUICK);
    const bare = stage.bare([lost, up]);
    await reachAll(bare, [lost.server, up]);
    await lost.proxy.blackHole();

    const together = await Promise.all(Array.from({ length: 20 }, () => unary(client, "x", idempotent)));
    await events.first("connection.dead", { endpoint: lost.address });
    const before = events.picks.length;
    const after = [];
    for (let call = 0; call < 10; call++) after.push(await unary(client, "x", idempotent));
    const theirs = await Promise.all(
      Array.from({ length: 10 }, () => unary(bare, "bare", { timeoutMs: 300 })),
    );

    expect(endings(together)).toEqual({ OK: 20 });
    expect(endings(after)).toEqual({ OK: 10 });
    expect(new Set(events.picks.slice(before))).toEqual(new Set([up.address]));
    expect(endings(theirs)).toEqual({ OK: 5, DEADLINE_EXCEEDED: 5 });
  });

  it("counts the calls that time out together once, against the breaker and against the throttle", async () => {
    const [lost, up] = [await stage.proxied(), await stage.server()];
    const { client, channel, events } = await stage.warm([lost, up], {
      ...PATIENT,
      breaker: { consecutiveFailures: 2 },
      retry: { ...QUICK.retry, throttle: { maxTokens: 20, tokenRatio: 0.001 } },
    });
    await lost.proxy.blackHole();

    const results = await Promise.all(Array.from({ length: 40 }, () => unary(client, "x", idempotent)));

    expect(endings(results)).toEqual({ OK: 40 });
    expect(events.count("connection.suspect")).toBe(1);
    expect(events.count("breaker.state")).toBe(0);
    expect(channel.stats().throttle?.tokens).toBeCloseTo(20 - 1 + 0.02);
  });

  it("does not repeat a call that is not idempotent, and says the server may have run it", async () => {
    const proxied = await stage.proxied({ handler: hang() });
    const { client } = await stage.warm([proxied], PATIENT);
    const call = unary(client, "x");
    await proxied.server.received();

    proxied.proxy.blackHoleOpen();

    expect(ending(await call)).toBe("DEADLINE_EXCEEDED ATTEMPT_TIMEOUT maybe");
    expect(proxied.server.executions.Unary).toBe(1);
  });

  it("uses the endpoint again when the network heals before the dial is given up", async () => {
    const [lost, up] = [await stage.proxied(), await stage.server()];
    const { client, events } = await stage.warm([lost, up], PATIENT);
    const endpoint = lost.address;
    await lost.proxy.blackHole();

    const results = [await unary(client, "x", idempotent), await unary(client, "x", idempotent)];
    await events.first("connection.suspect", { endpoint });
    await lost.proxy.pass();
    await events.nth(2, "endpoint.state", { endpoint, to: "READY" });
    for (let call = 0; call < 4; call++) results.push(await unary(client, "x", idempotent));

    expect(endings(results)).toEqual({ OK: 6 });
    expect(events.count("connection.dead")).toBe(0);
    expect(events.picks.slice(-4).filter((address) => address === endpoint).length).toBe(2);
  });
});

/** A hiccup of the network: everything comes late, nothing is lost. */
describe("a connection stands still and goes on", () => {
  it("is kept when a byte arrives before the check is due, and used again", async () => {
    const [slow, up] = [await stage.proxied(), await stage.server()];
    const { client, events } = await stage.warm([slow, up], PATIENT);
    const endpoint = slow.address;
    slow.proxy.delayMs(450);

    const results = [await unary(client, "x", idempotent), await unary(client, "x", idempotent)];
    await events.first("connection.suspect", { endpoint });
    slow.proxy.delayMs(0);
    await events.first("connection.verified", { endpoint });
    for (let call = 0; call < 4; call++) results.push(await unary(client, "x", idempotent));

    expect(endings(results)).toEqual({ OK: 6 });
    expect(events.count("connection.dead")).toBe(0);
    expect(slow.proxy.connections).toBe(1);
    expect(events.picks.slice(-4).filter((address) => address === endpoint).length).toBe(2);
  });
});

/** The old path is slow and the new one is dead: only the bytes that come late show that the peer lives. */
describe("a connection is heard while the fresh dial that should decide about it fails", () => {
  it("is kept: whoever is heard is alive", async () => {
    const slow = await stage.proxied();
    const { client, events } = await stage.warm([slow], {
      attemptTimeoutMs: 100,
      connectTimeoutMs: 900,
      suspicion: { checkTimeoutMs: 50 },
    });
    await slow.proxy.acceptThenSilence();
    slow.proxy.delayMs(250);

    const late = await unary(client, "x", callOptions({ timeoutMs: 5_000 }));
    const verified = await events.first("connection.verified");
    slow.proxy.delayMs(0);
    const result = await unary(client, "x", callOptions({ timeoutMs: 5_000, idempotent: true }));

    expect([ending(late), ending(result)]).toEqual(["DEADLINE_EXCEEDED ATTEMPT_TIMEOUT maybe", "OK"]);
    expect([slow.proxy.connections, verified.by]).toEqual([2, "bytes"]);
    expect([events.count("connection.dead"), events.count("connection.lost")]).toEqual([0, 0]);
  });
});

/** A firewall or NAT that forgot its connections: those open now are lost, new ones are fine. */
describe("only the old connection is in a black hole", () => {
  it("is replaced by the fresh dial that verifies the endpoint, without any loss of the endpoint", async () => {
    const [forgotten, up] = [await stage.proxied(), await stage.server()];
    const { client, events } = await stage.warm([forgotten, up], QUICK);
    const endpoint = forgotten.address;
    forgotten.proxy.blackHoleOpen();

    const results = [await unary(client, "x", idempotent), await unary(client, "x", idempotent)];
    const verified = await events.first("connection.verified", { endpoint });
    for (let call = 0; call < 4; call++) results.push(await unary(client, "x", idempotent));

    expect(endings(results)).toEqual({ OK: 6 });
    expect(verified.by).toBe("dial");
    expect(events.count("endpoint.state", { endpoint, from: "READY" })).toBe(0);
    expect([forgotten.proxy.connections, forgotten.server.executions.Unary]).toEqual([2, 2]);
  });

  it("ends streams on the old connection no later than drainMs after the verdict", async () => {
    const proxied = await stage.proxied();
    const { client, events } = await stage.warm([proxied], { ...QUICK, drainMs: 50 });
    const stream = client.bidi();
    const result = collect(stream);
    stream.write(Buffer.from("hello"));
    await new Promise((resolve) => stream.once("data", resolve));

    proxied.proxy.blackHoleOpen();
    await unary(client, "x", idempotent);
    await events.first("connection.verified", { by: "dial" });

    expect(ending((await result).status)).toBe("UNAVAILABLE CONNECTION_LOST yes");
  });
});
