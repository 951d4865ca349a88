import http2 from "node:http2";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { ClientSockets } from "../support/client-sockets.js";
import { type CounterClient, collect, unary } from "../support/counting-server.js";
import {
  goaway,
  grpcFrame,
  type RawRequest,
  respondHeadersThen,
  respondOk,
} from "../support/raw-http2-server.js";
import { ending, endings, failureOf, Stage } from "../support/stage.js";

const stage = new Stage();
const QUICK = { reconnectBackoff: { initialMs: 10, maxMs: 10 } };
const hold = (): void => {};

/** GOAWAY that disowns the streams above `lastStreamId`; Node would follow it by one of its own, which takes it back. */
function disown(session: RawRequest["session"], lastStreamId: number): void {
  goaway(session, http2.constants.NGHTTP2_NO_ERROR, lastStreamId);
  session.goaway = () => {};
}

function inFlight(client: CounterClient, count: number, isIdempotent = false) {
  const options = callOptions({ idempotent: isIdempotent });
  return Array.from({ length: count }, (_, index) => unary(client, String(index), options));
}

describe("GOAWAY on an idle connection", () => {
  it("sends the next call over a new connection, without a failure (R71)", async () => {
    const raw = await stage.raw(({ stream }) => respondOk(stream));
    const sockets = stage.use(new ClientSockets());
    const { client, events } = await stage.warm([raw], QUICK);
    await unary(client, "before");

    goaway(raw.sessions[0]!);
    await events.first("connection.draining");
    const result = await unary(client, "after");

    expect(ending(result)).toBe("OK");
    expect([raw.sessionsOpened, sockets.all.length]).toEqual([2, 2]);
    expect(events.count("connection.lost")).toBe(0);
  });
});

describe("GOAWAY while calls run", () => {
  it("lets running calls finish on the old connection and sends new ones over a new connection (R72)", async () => {
    const raw = await stage.raw(({ stream, index }) => (index > 3 ? respondOk(stream) : undefined));
    const { client, channel, events } = await stage.warm([raw], QUICK);
    const running = inFlight(client, 3);
    const [first, second, third] = [await raw.request(1), await raw.request(2), await raw.request(3)];

    goaway(first.session);
    await events.first("connection.draining", { cause: "GOAWAY" });
    const fresh = await unary(client, "new");
    const fourth = await raw.request(4);
    for (const { stream } of [first, second, third]) respondOk(stream);

    expect(ending(fresh)).toBe("OK");
    expect(fourth.session).not.toBe(first.session);
    expect(endings(await Promise.all(running))).toEqual({ OK: 3 });
    expect(channel.stats().calls).toMatchObject({ attempts: 4, failed: 0 });
    expect(events.count("connection.lost")).toBe(0);
  });

  it("closes the old connection once its last call has ended (R74)", async () => {
    const raw = await stage.raw(hold);
    const { client, events } = await stage.warm([raw], QUICK);
    const running = unary(client, "x");
    const { session, stream } = await raw.request(1);
    const closed = new Promise((resolve) => session.once("close", resolve));

    goaway(session);
    await events.first("connection.draining");
    respondOk(stream);

    expect(ending(await running)).toBe("OK");
    await closed;
  });

  it("repeats calls above the last stream id elsewhere, once, at no cost and unseen by the server (R21, R72)", async () => {
    const [leaving, up] = [await stage.raw(hold), await stage.server()];
    const { client, channel, events } = stage.harden([leaving, up], {
      loadBalancing: "pick_first",
    });
    const calls = inFlight(client, 3);
    const [first] = [await leaving.request(1), await leaving.request(3)];

    disown(first.session, first.stream.id!);
    const [, second, third] = calls;
    const moved = await Promise.all([second!, third!]);
    respondOk(first.stream, Buffer.from("0"));

    expect(moved).toEqual([
      { ok: true, text: "1" },
      { ok: true, text: "2" },
    ]);
    expect(await calls[0]).toEqual({ ok: true, text: "0" });
    expect(up.calls.map(({ metadata }) => metadata.get("grpc-previous-rpc-attempts"))).toEqual([[], []]);
    expect(channel.stats().calls).toMatchObject({ retries: 0, transparentRetries: 2 });
    expect(events.of("call.retry").map(({ kind }) => kind)).toEqual(["transparent", "transparent"]);
  });

  it("lets a running stream go on to its end", async () => {
    const raw = await stage.raw(hold);
    const { client, events } = await stage.warm([raw], QUICK);
    const result = collect(client.serverStream(Buffer.from("x")));
    const { session, stream } = await raw.request(1);
    respondHeadersThen(stream).write(grpcFrame(Buffer.from("before")));

    goaway(session);
    await events.first("connection.draining");
    stream.write(grpcFrame(Buffer.from("after")));
    stream.close(http2.constants.NGHTTP2_NO_ERROR);
    const { texts } = await result;

    expect(texts).toEqual(["before", "after"]);
  });
});

describe("GOAWAY with an error code while calls run", () => {
  const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_INTERNAL_ERROR } = http2.constants;
  const tooManyPings = (session: RawRequest["session"]): void =>
    goaway(session, NGHTTP2_ENHANCE_YOUR_CALM, undefined, Buffer.from("too_many_pings"));
  const broken = (session: RawRequest["session"]): void => goaway(session, NGHTTP2_INTERNAL_ERROR);

  for (const [name, breakOff] of [
    ["too_many_pings", tooManyPings],
    ["an internal error", broken],
  ] as const) {
    it(`counts as one lost connection, and idempotent calls go elsewhere: ${name} (R178)`, async () => {
      const [failing, up] = [await stage.raw(hold), await stage.server()];
      const options = {
        loadBalancing: "pick_first" as const,
        breaker: { consecutiveFailures: 2 },
        retry: { throttle: { maxTokens: 20, tokenRatio: 0.001 } },
      };
      const { client, channel, events } = stage.harden([failing, up], options);
      const calls = inFlight(client, 20, true);
      const { session } = await failing.request(20);

      breakOff(session);

      expect(endings(await Promise.all(calls))).toEqual({ OK: 20 });
      expect(events.count("connection.lost")).toBe(1);
      expect(events.count("breaker.state")).toBe(0);
      expect(channel.stats().throttle?.tokens).toBeCloseTo(19.02);
    });

    it(`says that the server may have run a call that is not idempotent (${name})`, async () => {
      const [failing, up] = [await stage.raw(hold), await stage.server()];
      const { client } = stage.harden([failing, up], { loadBalancing: "pick_first" });
      const call = unary(client, "x");
      const { session } = await failing.request();

      breakOff(session);
      const error = failureOf(await call);

      expect(error).toMatchObject({ reason: "CONNECTION_LOST", processed: "maybe", origin: "local" });
      expect(up.executions.Unary).toBe(0);
    });
  }
});
