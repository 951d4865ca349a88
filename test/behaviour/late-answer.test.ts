import { status } from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { collect, unary } from "../support/counting-server.js";
import { turns, until } from "../support/event-loop.js";
import { respondOk } from "../support/raw-http2-server.js";
import { ending, Stage } from "../support/stage.js";

const stage = new Stage();
const SHORT = callOptions({ timeoutMs: 60 });

/** A server that answers a call only when it is told to, however long nobody has waited for it any more. */
async function stubborn() {
  const answers: (() => void)[] = [];
  const raw = await stage.raw(({ stream }) => {
    // A stream that was reset takes no answer; what reaches the client otherwise is the late answer.
    answers.push(() => {
      if (!stream.destroyed) respondOk(stream);
    });
  });
  const answer = (): void => {
    for (const send of answers.splice(0)) send();
  };
  return { raw, answer };
}

describe("a server that answers after the deadline", () => {
  it("changes nothing: the call has ended once, and the connection serves the next one (R50)", async () => {
    const { raw, answer } = await stubborn();
    const { client, channel } = await stage.warm([raw]);
    let calledBack = 0;

    const late = unary(client, "late", callOptions({ timeoutMs: 400 })).then((result) => {
      calledBack++;
      return ending(result);
    });
    await raw.request(1);
    expect(await late).toBe("DEADLINE_EXCEEDED DEADLINE_EXCEEDED maybe");
    answer();
    await turns(10);
    const next = unary(client, "next");
    await raw.request(2);
    answer();

    expect(ending(await next)).toBe("OK");
    expect(calledBack).toBe(1);
    expect(raw.sessionsOpened).toBe(1);
    expect(channel.stats()).toMatchObject({ callsInFlight: 0, retryBufferBytes: 0 });
  });

  it("in the very turn of the deadline gives each of 50 calls one end, the one or the other (R50)", async () => {
    const server = await stage.server({
      handler: (call, callback) => {
        const leftMs = Number(call.getDeadline()) - Date.now();
        setTimeout(() => callback(null, call.request), leftMs);
      },
    });
    const { client, channel } = await stage.warm([server]);

    const ends = await Promise.all(Array.from({ length: 50 }, () => unary(client, "x", SHORT)));

    expect(ends).toHaveLength(50);
    for (const end of ends.map(ending)) expect(end).toMatch(/^(OK|DEADLINE_EXCEEDED DEADLINE_EXCEEDED \w+)$/);
    expect(channel.stats()).toMatchObject({ callsInFlight: 0, retryBufferBytes: 0 });
  });

  it("to every hedge of a call changes nothing either (R20, R39)", async () => {
    const [one, two] = [await stubborn(), await stubborn()];
    const { client, channel } = await stage.warm([one.raw, two.raw], {
      methods: { "holdfast.test.Counter": { idempotent: true } },
      hedging: { maxAttempts: 2, delayMs: 0 },
    });

    expect(ending(await unary(client, "late", SHORT))).toMatch(/^DEADLINE_EXCEEDED DEADLINE_EXCEEDED/);
    one.answer();
    two.answer();
    await turns(10);

    expect(one.raw.streamsStarted + two.raw.streamsStarted).toBeLessThanOrEqual(2);
    expect(channel.stats()).toMatchObject({ callsInFlight: 0, retryBufferBytes: 0 });
  });

  it("in a stream keeps what came in time, and hears that nobody listens any more (R50)", async () => {
    const server = await stage.server();
    server.serverStream = (call) => void call.write(Buffer.from("in time"));
    const { client } = await stage.warm([server]);

    const { texts, status: end } = await collect(client.serverStream(Buffer.from("x"), SHORT));

    expect(texts).toEqual(["in time"]);
    expect(end.code).toBe(status.DEADLINE_EXCEEDED);
    await until(() => server.calls[0]?.isCancelled === true, "the cancel at the server");
  });
});
