import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { unary } from "../support/counting-server.js";
import { respondOk } from "../support/raw-http2-server.js";
import { ending, endings, Stage } from "../support/stage.js";

const stage = new Stage();
const LIMITED = { settings: { maxConcurrentStreams: 1 } };

/** The limit of the peer's SETTINGS cannot be seen: calls beyond it wait inside Node. */
describe("a server that allows one stream at a time", () => {
  it("serves calls that were made together, one after the other, over one connection", async () => {
    const raw = await stage.raw(({ stream }) => respondOk(stream), LIMITED);
    const { client } = await stage.warm([raw]);

    const results = await Promise.all(Array.from({ length: 10 }, () => unary(client, "x")));

    expect(endings(results)).toEqual({ OK: 10 });
    expect([raw.streamsStarted, raw.sessionsOpened]).toEqual([10, 1]);
  });

  it("does not hold up idempotent calls for ever behind a stream that stays open", async () => {
    const raw = await stage.raw(({ stream, index }) => (index > 1 ? respondOk(stream) : undefined), LIMITED);
    const { client, channel, events } = await stage.warm([raw], {
      attemptTimeoutMs: 150,
      suspicion: { checkTimeoutMs: 50 },
      retry: { maxAttempts: 5, backoff: { kind: "fixed", initialMs: 50 } },
    });
    const stream = client.serverStream(Buffer.from("x"));
    stream.on("error", () => {});
    await raw.request(1);

    const result = await unary(client, "x", callOptions({ idempotent: true, timeoutMs: 5_000 }));

    // The health check waited behind the same limit, so a fresh dial decided; the stream goes on on the old connection.
    expect(ending(result)).toBe("OK");
    expect(events.of("connection.verified")).toMatchObject([{ by: "dial" }]);
    expect(raw.sessionsOpened).toBe(2);
    expect(channel.stats().callsInFlight).toBe(1);
    expect(channel.endpoints()[0]).toMatchObject({ state: "READY", breaker: "closed" });
  });
});
