import { status } from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { collect, unary } from "../support/counting-server.js";
import { ending, endings, type Hardened, reachAll, Stage } from "../support/stage.js";

const stage = new Stage();
const QUICK = {
  attemptTimeoutMs: 300,
  connectTimeoutMs: 150,
  suspicion: { checkTimeoutMs: 100 },
  retry: { backoff: { kind: "immediate" as const }, maxAttempts: 5 },
};
const idempotent = callOptions({ idempotent: true, timeoutMs: 5_000 });

/** Three endpoints, the first of them a process of its own that can be frozen. */
async function three() {
  const frozen = await stage.child();
  return { frozen, others: [await stage.server(), await stage.server()] };
}

async function sequentially({ client }: Hardened, count: number) {
  const results = [];
  for (let call = 0; call < count; call++) results.push(await unary(client, "x", idempotent));
  return results;
}

/** A garbage collection without end, a stuck disk, a suspended machine: the kernel still accepts and acknowledges. */
describe("one of three servers freezes", () => {
  it("costs one attempt, and then no call goes there, where bare grpc-js loses every third call", async () => {
    const { frozen, others } = await three();
    const hardened = await stage.warm([frozen, ...others], QUICK);
    const bare = stage.bare([frozen, ...others]);
    await reachAll(bare, others);
    await unary(bare, "the third");
    await frozen.freeze();

    const ours = await sequentially(hardened, 30);
    const theirs = await Promise.all(
      Array.from({ length: 9 }, () => unary(bare, "bare", { timeoutMs: 300 })),
    );

    expect(endings(ours)).toEqual({ OK: 30 });
    expect(hardened.events.picks.filter((address) => address === frozen.address).length).toBe(1);
    expect(endings(theirs)).toEqual({ OK: 6, DEADLINE_EXCEEDED: 3 });
  });

  it("tells suspect, dead, lost, in this order, and finds the server again when it thaws", async () => {
    const { frozen, others } = await three();
    const hardened = await stage.warm([frozen, ...others], {
      ...QUICK,
      reconnectBackoff: { initialMs: 50, maxMs: 50 },
    });
    const { events } = hardened;
    const endpoint = frozen.address;
    await frozen.freeze();

    await sequentially(hardened, 3);
    await events.first("connection.dead", { endpoint });
    await events.first("connection.lost", { endpoint });
    frozen.thaw();
    await events.nth(2, "endpoint.state", { endpoint, to: "READY" });
    const results = await sequentially(hardened, 3);

    const story = events.all.filter((event) => "endpoint" in event && event.endpoint === endpoint);
    const words = story.map((event) => (event.type === "endpoint.state" ? event.to : event.type));
    expect(words.slice(words.indexOf("connection.suspect"), words.indexOf("connection.lost") + 1)).toEqual([
      "connection.suspect",
      "connection.dead",
      "TRANSIENT_FAILURE",
      "connection.lost",
    ]);
    expect(endings(results)).toEqual({ OK: 3 });
    expect(events.picks.slice(-3)).toContain(endpoint);
  });

  it("keeps the connection when the server thaws before its health check is due", async () => {
    const { frozen, others } = await three();
    const hardened = await stage.warm([frozen, ...others], {
      ...QUICK,
      suspicion: { checkTimeoutMs: 5_000 },
    });
    const { events, channel } = hardened;
    const endpoint = frozen.address;
    await frozen.freeze();

    await sequentially(hardened, 3);
    await events.first("connection.suspect", { endpoint });
    frozen.thaw();
    const verified = await events.first("connection.verified", { endpoint });
    const results = await sequentially(hardened, 3);

    // The test service has no health service: UNIMPLEMENTED is an answer like any other.
    expect(verified.by).toBe("health");
    expect(events.count("connection.dead")).toBe(0);
    expect(channel.endpoints().map(({ isSuspect }) => isSuspect)).toEqual([false, false, false]);
    expect(endings(results)).toEqual({ OK: 3 });
    expect(events.picks.slice(-3)).toContain(endpoint);
  });

  it("ends the calls in flight there at once, as one lost connection", async () => {
    const { frozen, others } = await three();
    const hardened = await stage.warm([frozen], { ...QUICK, breaker: { consecutiveFailures: 2 } });
    const { client, channel, events } = hardened;
    const streams = Array.from({ length: 5 }, () => client.bidi());
    const ends = streams.map((stream) => collect(stream));
    for (const stream of streams) {
      stream.write(Buffer.from("hello"));
      await new Promise((resolve) => stream.once("data", resolve));
    }
    channel.updateEndpoints([frozen.address, ...others.map(({ address }) => address)]);
    await events.ready(...others.map(({ address }) => address));
    await frozen.freeze();

    const results = await sequentially(hardened, 6);
    const dead = await events.first("connection.dead");
    const statuses = (await Promise.all(ends)).map((end) => end.status);

    expect(endings(results)).toEqual({ OK: 6 });
    expect(dead).toMatchObject({ endpoint: frozen.address, callsEnded: 5 });
    expect(statuses.map(ending)).toEqual(Array(5).fill("UNAVAILABLE CONNECTION_LOST yes"));
    expect(statuses[0]?.code).toBe(status.UNAVAILABLE);
    expect(events.count("connection.lost")).toBe(1);
    expect(events.count("breaker.state")).toBe(0);
  });

  it("goes on using the one that answered last when all servers are frozen, and recovers with the first", async () => {
    const [first, second] = await Promise.all([stage.child(), stage.child()]);
    const hardened = await stage.warm([first, second], {
      ...QUICK,
      suspicion: { checkTimeoutMs: 5_000 },
      retry: { backoff: { kind: "fixed", initialMs: 20 }, maxAttempts: 5, throttle: false },
    });
    await Promise.all([first.freeze(), second.freeze()]);

    const call = unary(hardened.client, "x", idempotent);
    await hardened.events.first("connection.suspect", { endpoint: first.address });
    await hardened.events.first("connection.suspect", { endpoint: second.address });
    first.thaw();
    second.thaw();

    expect(ending(await call)).toBe("OK");
  });
});
