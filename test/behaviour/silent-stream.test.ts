import { status } from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { collect } from "../support/counting-server.js";
import { until } from "../support/event-loop.js";
import { grpcFrame, respondHeadersThen } from "../support/raw-http2-server.js";
import { Stage } from "../support/stage.js";

const stage = new Stage();
const request = Buffer.from("1,2,3");

describe("a server that accepts a stream and stays silent", () => {
  it("is given up after firstResponseTimeoutMs, and an idempotent stream is made elsewhere (R54)", async () => {
    const silent = await stage.server();
    silent.serverStream = () => {};
    const well = await stage.server();
    const { client, channel } = await stage.warm([silent, well], { firstResponseTimeoutMs: 300 });
    const results = [];

    while (silent.executions.ServerStream === 0) {
      results.push(await collect(client.serverStream(request, callOptions({ idempotent: true }))));
    }

    for (const { texts, status: end } of results) {
      expect([texts, end.code]).toEqual([["1", "2", "3"], status.OK]);
    }
    await until(() => silent.calls[0]?.isCancelled === true, "the cancel at the silent server");
    expect(silent.executions.ServerStream).toBe(1);
    expect(channel.stats().calls.retries).toBe(1);
  });

  it("is given up, and a stream that is not idempotent fails without a second run (R162)", async () => {
    const silent = await stage.server();
    silent.serverStream = () => {};
    const { client } = await stage.warm([silent], { firstResponseTimeoutMs: 300 });

    const { status: end } = await collect(client.serverStream(request));

    expect(end).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      reason: "ATTEMPT_TIMEOUT",
      processed: "maybe",
    });
    expect(silent.executions.ServerStream).toBe(1);
  });

  it("after its headers is given up after streamIdleTimeoutMs, once", async () => {
    const raw = await stage.raw(({ stream }) => void respondHeadersThen(stream));
    const { client, channel } = await stage.warm([raw], { streamIdleTimeoutMs: 40 });

    const { texts, status: end } = await collect(
      client.serverStream(request, callOptions({ idempotent: true })),
    );

    expect(texts).toEqual([]);
    expect(end).toMatchObject({ code: status.DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED" });
    expect(raw.streamsStarted).toBe(1);
    expect(channel.stats()).toMatchObject({ callsInFlight: 0, retryBufferBytes: 0 });
  });

  it("after some messages is given up, too, and what came has been read (R43)", async () => {
    const raw = await stage.raw(({ stream }) => {
      respondHeadersThen(stream).write(grpcFrame(Buffer.from("one")));
    });
    const { client } = await stage.warm([raw], { streamIdleTimeoutMs: 40 });

    const { texts, status: end } = await collect(
      client.serverStream(request, callOptions({ idempotent: true })),
    );

    expect(texts).toEqual(["one"]);
    expect(end).toMatchObject({ code: status.DEADLINE_EXCEEDED, processed: "yes" });
    expect(raw.streamsStarted).toBe(1);
  });
});
