import http2, { type ServerHttp2Stream } from "node:http2";
import { status } from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { collect, unary } from "../support/counting-server.js";
import { grpcFrame, respondHeadersThen, respondOk, rst } from "../support/raw-http2-server.js";
import { failureOf, Stage } from "../support/stage.js";

const stage = new Stage();
const idempotent = callOptions({ idempotent: true, timeoutMs: 5_000 });
const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_CANCEL } = http2.constants;

/** Headers, some whole messages, and then all but the last byte of another. */
function tear(stream: ServerHttp2Stream, ...whole: string[]): ServerHttp2Stream {
  respondHeadersThen(stream);
  for (const text of whole) stream.write(grpcFrame(Buffer.from(text)));
  stream.write(grpcFrame(Buffer.from("torn")).subarray(0, -1));
  return stream;
}

const RESETS = [
  ["INTERNAL_ERROR", NGHTTP2_INTERNAL_ERROR, status.INTERNAL],
  ["CANCEL", NGHTTP2_CANCEL, status.CANCELLED],
] as const;

describe("an answer torn off in the middle of a message", () => {
  it.each(RESETS)(
    "by RST_STREAM %s ends a unary call, and nothing of it arrives (D09)",
    async (_word, code, expected) => {
      const raw = await stage.raw(({ stream }) => rst(tear(stream), code));
      const { client, channel } = await stage.warm([raw]);

      const error = failureOf(await unary(client, "x", idempotent));

      expect(error.code).toBe(expected);
      expect(error.processed).toBe("maybe");
      expect(raw.streamsStarted).toBe(1);
      expect(channel.stats()).toMatchObject({ callsInFlight: 0, retryBufferBytes: 0 });
    },
  );

  it.each(RESETS)(
    "by RST_STREAM %s ends a stream after its whole messages (D09, R43)",
    async (_word, code, expected) => {
      const raw = await stage.raw(({ stream }) => rst(tear(stream, "1", "2"), code));
      const { client, channel } = await stage.warm([raw]);

      const { texts, status: end } = await collect(client.serverStream(Buffer.from("x"), idempotent));

      expect(texts).toEqual(["1", "2"]);
      expect(end).toMatchObject({ code: expected, processed: "yes" });
      expect(raw.streamsStarted).toBe(1);
      expect(channel.stats()).toMatchObject({ callsInFlight: 0, retryBufferBytes: 0 });
    },
  );

  it("by the end of the connection is asked for again where the call is idempotent and unary (R22)", async () => {
    const raw = await stage.raw(({ stream, session, index }) => {
      if (index > 1) return respondOk(stream, Buffer.from("whole"));
      tear(stream);
      setImmediate(() => session.destroy());
    });
    const { client } = await stage.warm([raw], { retry: { backoff: { kind: "immediate" } } });

    expect(await unary(client, "x", idempotent)).toEqual({ ok: true, text: "whole" });
    expect(raw.streamsStarted).toBe(2);
  });

  it("by the end of the connection fails a call that is not, and says that it may have run (R22)", async () => {
    const raw = await stage.raw(({ stream, session }) => {
      tear(stream);
      setImmediate(() => session.destroy());
    });
    const { client } = await stage.warm([raw]);

    const error = failureOf(await unary(client, "x"));

    expect(error).toMatchObject({ code: status.UNAVAILABLE, processed: "maybe" });
    expect(raw.streamsStarted).toBe(1);
  });

  it("by trailers that say OK is no success", async () => {
    const raw = await stage.raw(({ stream }) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(grpcFrame(Buffer.from("torn")).subarray(0, -1));
    });
    const { client } = await stage.warm([raw]);

    const error = failureOf(await unary(client, "x", idempotent));

    expect(error.code).not.toBe(status.OK);
    expect(raw.streamsStarted).toBe(1);
  });

  it("ends a hedged call whose winner it was, and no other attempt is made (R14, R35)", async () => {
    const raw = await stage.raw(({ stream }) => rst(tear(stream), NGHTTP2_INTERNAL_ERROR));
    const { client, channel } = await stage.warm([raw], {
      methods: { "holdfast.test.Counter": { idempotent: true } },
      hedging: { maxAttempts: 3, delayMs: 30_000 },
    });

    const error = failureOf(await unary(client, "x"));

    expect(error.code).toBe(status.INTERNAL);
    expect(raw.streamsStarted).toBe(1);
    expect(channel.stats()).toMatchObject({ callsInFlight: 0, retryBufferBytes: 0 });
  });
});
