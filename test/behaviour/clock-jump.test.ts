import { status } from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { collect, unary } from "../support/counting-server.js";
import { until } from "../support/event-loop.js";
import { LoopbackClock } from "../support/loopback-clock.js";
import { respondOk, respondTrailersOnly } from "../support/raw-http2-server.js";
import { ending, endings, Stage } from "../support/stage.js";

const stage = new Stage();
const CHECK_TIMEOUT_MS = 1_000;
const once = callOptions({ retry: false, timeoutMs: 60_000 });

/** One endpoint, connected and used, on a clock that the test moves. */
async function used() {
  const clock = new LoopbackClock();
  const proxied = await stage.proxied();
  const hardened = stage.harden([proxied], { suspicion: { checkTimeoutMs: CHECK_TIMEOUT_MS } }, { clock });
  expect(ending(await unary(hardened.client, "before", once))).toBe("OK");
  return { clock, ...proxied, ...hardened };
}

/** Until nothing of the last call is left to be looked after. */
const quiet = (clock: LoopbackClock): Promise<void> => clock.advance(1_000);

const PAUSES = [
  ["no call was made for a minute", (clock: LoopbackClock) => clock.advance(61_000)],
  ["a laptop slept for an hour", async (clock: LoopbackClock) => clock.sleep(3_600_000)],
  ["a function was frozen for an hour", async (clock: LoopbackClock) => clock.freeze(3_600_000)],
] as const;

describe.each(PAUSES)("%s", (_, pause) => {
  it("and the connection is gone without a word: not even a call that may not be repeated is lost, as with bare grpc-js", async () => {
    const { clock, channel, client, events, proxy, server } = await used();
    const bare = stage.bare([{ address: proxy.address }]);
    await unary(bare, "before");
    await quiet(clock);
    proxy.blackHoleOpen();
    await pause(clock);

    const calls = Array.from({ length: 3 }, () => unary(client, "after", once));
    await events.first("connection.suspect");
    const picksWhileInDoubt = events.picks.length;
    await clock.advance(CHECK_TIMEOUT_MS);
    const results = await Promise.all(calls);
    const theirs = await unary(bare, "after", { timeoutMs: 200 });

    expect(picksWhileInDoubt).toBe(1);
    expect(endings(results)).toEqual({ OK: 3 });
    expect(ending(theirs)).toBe("DEADLINE_EXCEEDED");
    expect(events.of("connection.verified")).toMatchObject([{ by: "dial" }]);
    expect(events.count("call.retry")).toBe(0);
    // Two before, three of ours after it; the proxy saw one dial more than there are clients.
    expect([server.executions.Unary, proxy.connections]).toEqual([5, 3]);
    await channel.close();
    // The old connection says goodbye into the black hole for a second.
    await clock.advance(1_000);
    await until(() => clock.pendingTimers === 0, "the end of every timer");
  });

  it("and the connection lives: one Check verifies it for all calls, and a server without health service passes it", async () => {
    const clock = new LoopbackClock();
    let checks = 0;
    const raw = await stage.raw(({ stream, headers }) => {
      if (headers[":path"] !== "/grpc.health.v1.Health/Check") return respondOk(stream);
      checks++;
      respondTrailersOnly(stream, status.UNIMPLEMENTED);
    });
    const { client, events } = stage.harden([raw], {}, { clock });
    await unary(client, "before", once);
    await quiet(clock);
    await pause(clock);

    const results = await Promise.all(Array.from({ length: 5 }, () => unary(client, "after", once)));

    expect(endings(results)).toEqual({ OK: 5 });
    expect([checks, raw.sessionsOpened]).toEqual([1, 1]);
    expect(events.of("connection.verified")).toMatchObject([{ by: "health" }]);
    expect(events.count("connection.suspect")).toBe(1);
  });
});

describe("a pause right after a call, as of a function that is frozen once it has answered", () => {
  it.each(["sleep", "freeze"] as const)("sends no call to the dead connection (%s)", async (pause) => {
    const { clock, client, events, proxy } = await used();
    proxy.blackHoleOpen();
    clock[pause](3_600_000);

    const call = unary(client, "after", once);
    await events.first("connection.suspect");
    await clock.advance(CHECK_TIMEOUT_MS);

    expect(ending(await call)).toBe("OK");
    expect(events.of("connection.verified")).toMatchObject([{ by: "dial" }]);
  });

  it("ends the streams that ran into it, once a fresh dial has shown that their connection is dead", async () => {
    const { clock, client, events, proxy } = await used();
    const stream = client.bidi(once);
    const result = collect(stream);
    stream.write(Buffer.from("hello"));
    await new Promise((resolve) => stream.once("data", resolve));
    await proxy.blackHole();
    await proxy.refuse();
    clock.sleep(3_600_000);

    await clock.advance(1_000);
    await events.first("connection.suspect");
    await clock.advance(CHECK_TIMEOUT_MS);
    await events.first("connection.dead", { callsEnded: 1 });

    expect(ending((await result).status)).toBe("UNAVAILABLE CONNECTION_LOST yes");
    expect(events.count("connection.lost")).toBe(1);
  });
});

describe("a pause after which one of three endpoints is dead", () => {
  it("sends calls to those that answer a Check, and waits for no other", async () => {
    const clock = new LoopbackClock();
    const dead = await stage.proxied();
    const all = [dead, await stage.server(), await stage.server()];
    const { client, channel, events } = stage.harden(all, {}, { clock });
    await channel.ready({ endpoints: "all" });
    await unary(client, "before", once);
    await dead.proxy.blackHole();
    clock.sleep(3_600_000);
    const before = events.picks.length;

    const results = await Promise.all(Array.from({ length: 30 }, () => unary(client, "after", once)));

    expect(endings(results)).toEqual({ OK: 30 });
    expect(events.picks.slice(before)).not.toContain(dead.address);
    expect(events.count("connection.verified", { by: "health" })).toBe(2);
  });
});

describe("a clock that is put right", () => {
  it.each([-3_600_000, 4_000])("by %d ms is no pause", async (ms) => {
    const { clock, client, events } = await used();
    await quiet(clock);
    clock.sleep(ms);

    // Long, because grpc-js goes by a clock that was not put right.
    const call = await unary(client, "after", callOptions({ retry: false, timeoutMs: 7_200_000 }));

    expect(ending(call)).toBe("OK");
    expect(events.count("connection.suspect")).toBe(0);
  });
});

describe("a pause of which the connection did not survive and nothing can be dialled after", () => {
  it("fails calls that were not sent, and they say so", async () => {
    const { clock, client, events, proxy } = await used();
    await quiet(clock);
    await proxy.refuse();
    proxy.blackHoleOpen();
    clock.sleep(3_600_000);

    const call = unary(client, "after", once);
    await events.first("connection.suspect");
    await clock.advance(CHECK_TIMEOUT_MS);
    await events.first("connection.dead");

    expect(ending(await call)).toBe("UNAVAILABLE DIAL_FAILED no");
    expect(events.count("connection.lost")).toBe(1);
  });
});

describe("verification after a pause that is turned off", () => {
  it("is not made", async () => {
    const clock = new LoopbackClock();
    const server = await stage.server();
    const options = { suspicion: { verifyAfterIdleMs: null } };
    const { client, events } = stage.harden([server], options, { clock });
    await unary(client, "before", once);
    await quiet(clock);
    clock.sleep(3_600_000);

    expect(ending(await unary(client, "after", once))).toBe("OK");
    expect(events.count("connection.suspect")).toBe(0);
  });
});
