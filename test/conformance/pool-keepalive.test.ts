import { callOptions } from "holdfast";
import { describe, expect, it, vi } from "vitest";
import { keepalivePace } from "../../src/call/keepalive-warning.js";
import { type ChannelEvent, EventHub } from "../../src/core/index.js";
import { keepaliveSchema } from "../../src/pool/pool-options.js";
import { type CounterClient, unary } from "../support/counting-server.js";
import { type RawHttp2Server, respondOk } from "../support/raw-http2-server.js";
import { Stage } from "../support/stage.js";
import { Tally } from "../support/tally.js";

const stage = new Stage();
const KEEPALIVE = { timeoutMs: 5_000, allowAggressiveKeepalive: true };

/** Pings that reach the newest connection of a server, and when each came. */
function pingsOf({ sessions }: RawHttp2Server): Tally & { readonly at: number[] } {
  const pings = Object.assign(new Tally("pings"), { at: [] as number[] });
  sessions.at(-1)!.on("ping", () => {
    pings.at.push(performance.now());
    pings.add();
  });
  return pings;
}

/** Answers the first call, and leaves the others be. */
function oneAnswer(): Promise<RawHttp2Server> {
  return stage.raw(({ stream, index }) => {
    if (index === 1) respondOk(stream);
  });
}

function openStream(client: CounterClient): { cancel(): void } {
  const stream = client.serverStream(Buffer.from("x"), callOptions({ timeoutMs: 10_000 }));
  stream.on("error", () => {});
  return stream;
}

describe("keepalive", () => {
  it("pings with a new stream, not an interval after it, where one has gone by without any (R65)", async () => {
    const [rested, fresh, control] = [await oneAnswer(), await oneAnswer(), await oneAnswer()];
    const { client } = await stage.warm([rested], { keepalive: { ...KEEPALIVE, timeMs: 400 } });
    const { client: other } = await stage.warm([fresh], { keepalive: { ...KEEPALIVE, timeMs: 150 } });
    await stage.warm([control], { keepalive: { ...KEEPALIVE, timeMs: 50, permitWithoutCalls: true } });
    const [pings, othersPings] = [pingsOf(rested), pingsOf(fresh)];
    await unary(client, "x");
    await pingsOf(control).reached(10);
    const pingsAtRest = pings.count;

    const streams = [openStream(client), openStream(other)];
    await othersPings.reached(1);
    const pingsMeanwhile = pings.count;
    for (const stream of streams) stream.cancel();

    expect(pingsAtRest).toBe(0);
    expect(pingsMeanwhile).toBeGreaterThanOrEqual(1);
  });

  it("counts the interval from the answer to the last ping, not from the ping (R66)", async () => {
    const raw = await stage.raw(() => {});
    const proxy = await stage.proxy(raw.port);
    await stage.warm([proxy], { keepalive: { ...KEEPALIVE, timeMs: 20, permitWithoutCalls: true } });
    proxy.delayMs(80);
    const pings = pingsOf(raw);

    await pings.reached(4);

    // The first may have been on its way when the delay began.
    const waits = pings.at.slice(2).map((at, index) => at - (pings.at[index + 1] as number));
    for (const wait of waits) expect(wait).toBeGreaterThan(75);
  });

  it("that is too often for a server is told each time by an event, and once per target by a warning (R68)", () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    stage.use({ close: () => warn.mockRestore() });
    const events = new EventHub();
    const told: ChannelEvent[] = [];
    events.subscribe((event) => void told.push(event));
    const keepalive = keepaliveSchema.parse({ timeMs: 10_000 });
    const paces = ["static:///one.example:1", "static:///two.example:1"].map((target) =>
      keepalivePace({ keepalive }, events, target),
    );

    for (const pace of paces) for (const livedMs of [25_000, 50_000]) pace?.noteEnd(livedMs);

    const twice = [10_000, 20_000].map((fromMs) => ({ type: "keepalive.raised", fromMs, toMs: 2 * fromMs }));
    expect(told).toMatchObject([...twice, ...twice]);
    expect(warn.mock.calls.map(([message]) => String(message).split(": ")[0])).toEqual([
      "static:///one.example:1",
      "static:///two.example:1",
    ]);
  });
});
