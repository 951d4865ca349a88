import { callOptions, type ResilientChannel } from "holdfast";
import { describe, expect, it } from "vitest";
import { type CounterClient, type CountingServer, collect, hang, unary } from "../support/counting-server.js";
import { until } from "../support/event-loop.js";
import { ending, endings, Stage } from "../support/stage.js";

const stage = new Stage();
const idempotent = callOptions({ idempotent: true });
const QUICK = { reconnectBackoff: { initialMs: 10, maxMs: 10 } };

/** A server whose unary calls wait until they are let go. */
async function holding(serverOptions = {}): Promise<{ server: CountingServer; letGo(): void }> {
  const held: (() => void)[] = [];
  const server = await stage.server({
    serverOptions,
    handler: (call, callback) => void held.push(() => callback(null, call.request)),
  });
  const letGo = (): void => {
    server.unary = (call, callback) => callback(null, call.request);
    for (const answer of held.splice(0)) answer();
  };
  return { server, letGo };
}

function together(client: CounterClient, count: number) {
  return Array.from({ length: count }, () => unary(client, "x"));
}

/** Connects, and waits until the endpoint has so many connections. */
async function connections(channel: ResilientChannel, count: number): Promise<void> {
  await channel.ready();
  await until(() => channel.endpoints()[0]?.connections === count, `${count} connections`);
}

/** A stream that has exchanged its first message. */
async function openStream(client: CounterClient) {
  const stream = client.bidi();
  const result = collect(stream);
  stream.write(Buffer.from("hello"));
  await new Promise((resolve) => stream.once("data", resolve));
  return { stream, end: async () => ending((await result).status) };
}

describe("poolSize: 5", () => {
  it("is five connections that the server sees, and 1,000 calls open no further one, where bare clients share one", async () => {
    const [server, theirs] = [await stage.server(), await stage.server()];
    const { client, channel, events } = stage.harden([server], { poolSize: 5 });
    const bare = Array.from({ length: 5 }, () =>
      stage.bare([theirs], undefined, { "grpc.use_local_subchannel_pool": 0 }),
    );
    await unary(client, "first");
    await connections(channel, 5);

    const results = [];
    for (let call = 0; call < 1_000; call++) results.push(await unary(client, "x"));
    for (const plain of bare) await unary(plain, "x");

    expect(endings(results)).toEqual({ OK: 1_000 });
    expect([server.peers.size, theirs.peers.size]).toEqual([5, 1]);
    expect(events.count("connection.draining")).toBe(0);
  });

  it("spreads calls in flight evenly over them", async () => {
    const { server, letGo } = await holding();
    const { client, channel } = stage.harden([server], { poolSize: 5 });
    await connections(channel, 5);

    const calls = together(client, 20);
    await server.received(20);
    letGo();

    const perPeer = [...server.peers].map((peer) => server.calls.filter((call) => call.peer === peer).length);
    expect(perPeer).toEqual([4, 4, 4, 4, 4]);
    expect(endings(await Promise.all(calls))).toEqual({ OK: 20 });
  });
});

describe("a server that allows 100 streams on a connection", () => {
  it("gets further connections when ours are full, up to maxConnections, and none is closed for lack of use, where bare grpc-js makes the rest wait (R76, R77)", async () => {
    const limit = { "grpc.max_concurrent_streams": 100 };
    const [ours, theirs] = [await holding(limit), await holding(limit)];
    const { client, channel } = stage.harden([ours.server], { maxConnections: 4 });
    const bare = stage.bare([theirs.server]);

    const bareCalls = together(bare, 250);
    await theirs.server.received(100);
    const calls = together(client, 250);
    await ours.server.received(250);
    const bareArrived = theirs.server.executions.Unary;
    ours.letGo();
    theirs.letGo();

    expect(bareArrived).toBe(100);
    expect(endings([...(await Promise.all(calls)), ...(await Promise.all(bareCalls))])).toEqual({ OK: 500 });
    expect([ours.server.peers.size, theirs.server.peers.size]).toEqual([3, 1]);
    expect(channel.endpoints()[0]?.connections).toBe(3);
  });

  it("gets no more than maxConnections, and the calls beyond wait their turn (R76)", async () => {
    const { server, letGo } = await holding();
    const { client, channel } = stage.harden([server], { maxConnections: 2, maxStreamsPerConnection: 5 });

    const calls = together(client, 25);
    await server.received(10);
    const queued = channel.stats().callsQueued;
    letGo();

    expect(queued).toBe(15);
    expect(endings(await Promise.all(calls))).toEqual({ OK: 25 });
    expect(server.peers.size).toBe(2);
  });
});

describe("separateStreams", () => {
  it("gives streams connections of their own: unary calls go on while streams fill theirs", async () => {
    const server = await stage.server();
    const { client } = stage.harden([server], { separateStreams: true, maxStreamsPerConnection: 3 });
    const streams = [await openStream(client), await openStream(client), await openStream(client)];

    const results = [];
    for (let call = 0; call < 10; call++) results.push(await unary(client, "x"));
    const peersOf = (method: string) =>
      new Set(server.calls.filter((call) => call.method === method).map(({ peer }) => peer));
    for (const { stream } of streams) stream.end();

    expect(endings(results)).toEqual({ OK: 10 });
    expect([peersOf("Bidi").size, peersOf("Unary").size, server.peers.size]).toEqual([1, 1, 2]);
    for (const { end } of streams) expect(await end()).toBe("OK");
  });
});

describe("one of several connections is killed", () => {
  it("fails only its calls, as one loss; the endpoint stays READY and gets another connection (R78, R79)", async () => {
    const { server, proxy, address } = await stage.proxied();
    const { client, channel, events } = stage.harden([{ address }], {
      ...QUICK,
      poolSize: 3,
    });
    await connections(channel, 3);
    const streams = await Promise.all([openStream(client), openStream(client), openStream(client)]);

    proxy.resetOldest();
    const lost = await events.first("connection.lost");
    await connections(channel, 3);
    const result = await unary(client, "x");
    for (const { stream } of streams) stream.end();

    const ends = await Promise.all(streams.map(({ end }) => end()));
    expect(ends.sort()).toEqual(["OK", "OK", "UNAVAILABLE CONNECTION_LOST yes"]);
    expect(lost.callsInFlight).toBe(1);
    expect(ending(result)).toBe("OK");
    expect(events.count("connection.lost")).toBe(1);
    expect(events.count("endpoint.state", { from: "READY" })).toBe(0);
    expect([proxy.connections, server.peers.size]).toEqual([4, 4]);
  });

  it("repeats its idempotent calls on the others", async () => {
    const { server, proxy, address } = await stage.proxied({ handler: hang() });
    const { client, channel, events } = stage.harden([{ address }], {
      ...QUICK,
      poolSize: 2,
      retry: { backoff: { kind: "immediate" } },
    });
    await connections(channel, 2);
    const calls = Array.from({ length: 10 }, () => unary(client, "x", idempotent));
    await server.received(10);

    server.unary = (call, callback) => callback(null, call.request);
    proxy.resetAll();

    expect(endings(await Promise.all(calls))).toEqual({ OK: 10 });
    expect(events.count("connection.lost")).toBe(2);
    expect(server.executions.Unary).toBe(20);
  });
});

describe("the last connection is killed while calls wait for a stream", () => {
  it("sends them over the next one, once each, since they were never sent, and loses only those that ran (R78)", async () => {
    const { server, proxy, address } = await stage.proxied({ handler: hang() });
    const { client, channel, events } = stage.harden([{ address }], { ...QUICK, maxStreamsPerConnection: 2 });
    const running = together(client, 2);
    await server.received(2);
    const waiting = together(client, 5);
    await until(() => channel.stats().callsQueued === 5, "five queued calls");

    server.unary = (call, callback) => callback(null, call.request);
    proxy.resetAll();

    expect(endings(await Promise.all(running))).toEqual({ "UNAVAILABLE CONNECTION_LOST maybe": 2 });
    expect(endings(await Promise.all(waiting))).toEqual({ OK: 5 });
    expect([events.count("connection.lost"), server.executions.Unary]).toEqual([1, 7]);
  });
});

describe("one of several connections falls into a black hole", () => {
  it("is replaced, and the others stay: each is verified by itself, and no idempotent call fails", async () => {
    const { server, proxy, address } = await stage.proxied();
    const { client, channel, events } = stage.harden([{ address }], {
      poolSize: 3,
      attemptTimeoutMs: 600,
      suspicion: { checkTimeoutMs: 400 },
      retry: { backoff: { kind: "immediate" }, maxAttempts: 5 },
    });
    await connections(channel, 3);
    proxy.blackHoleOldest();

    const results = [];
    for (let call = 0; call < 6; call++) results.push(await unary(client, "x", idempotent));
    await events.first("connection.verified", { by: "dial" });
    await connections(channel, 3);
    for (let call = 0; call < 6; call++) results.push(await unary(client, "x", idempotent));

    expect(endings(results)).toEqual({ OK: 12 });
    expect(events.count("call.retry")).toBe(1);
    expect(events.count("connection.verified", { by: "health" })).toBe(2);
    expect(events.count("connection.suspect")).toBe(1);
    expect([proxy.connections, server.peers.size]).toEqual([4, 3]);
    expect(events.count("endpoint.state", { from: "READY" })).toBe(0);
  });
});

describe("a server to which there are several connections", () => {
  it("is dialled once at a time while it is down, and gets all of them again when it is back (R61, R76)", async () => {
    const { server, proxy, address } = await stage.proxied({ handler: hang() });
    const { client, channel, events } = stage.harden([{ address }], {
      ...QUICK,
      poolSize: 3,
      breaker: { consecutiveFailures: 2 },
    });
    await connections(channel, 3);
    const patient = callOptions({ idempotent: true, waitForReady: true });
    const calls = Array.from({ length: 9 }, () => unary(client, "x", patient));
    await server.received(9);

    await proxy.refuse();
    proxy.resetAll();
    await events.nth(3, "endpoint.state", { from: "CONNECTING", to: "TRANSIENT_FAILURE" });
    server.unary = (call, callback) => callback(null, call.request);
    await proxy.pass();
    await connections(channel, 3);

    expect(endings(await Promise.all(calls))).toEqual({ OK: 9 });
    expect(events.count("connection.lost")).toBe(3);
    expect(events.of("connection.lost").reduce((sum, { callsInFlight }) => sum + callsInFlight, 0)).toBe(9);
    expect(proxy.connections).toBe(6);
  });
});
