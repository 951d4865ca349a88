import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import {
  A,
  B,
  C,
  type ChannelBench,
  IDEMPOTENT,
  NOTHING_LEFT,
  readyBench,
} from "../support/channel-bench.js";

const NO_POLICY = { retry: { maxAttempts: 1 } };

/** Lets a retry that needs no wait happen. */
async function next(bench: ChannelBench): Promise<void> {
  await bench.settle();
  await bench.advance(0);
}

describe("R21: an attempt that never left the client", () => {
  it("is repeated at once, elsewhere, without a policy and without being declared idempotent (R8)", async () => {
    const bench = await readyBench(NO_POLICY, { addresses: [A, B] });
    const call = await bench.unary();
    const [first] = bench.network.route;

    bench.network.call(0).isStreamOpened = false;
    bench.network.call(0).endLocally(status.UNAVAILABLE, "No connection established. Last error: gone");
    await next(bench);
    bench.network.call(1).ok();
    await bench.settle();

    expect(call.status.code).toBe(status.OK);
    expect(bench.network.route[1]).not.toBe(first);
    expect(bench.channel.stats().calls).toMatchObject({ attempts: 2, retries: 0, transparentRetries: 1 });
  });

  it("is repeated elsewhere though it would be the same endpoint's turn again", async () => {
    const bench = await readyBench(NO_POLICY, { addresses: [A, B] });
    await bench.unary();
    const [first] = bench.network.route;
    bench.network.call(0).neverSend();
    await bench.settle();
    await bench.unary({ request: "another call takes the other endpoint's turn" });

    await next(bench);

    expect(bench.network.route).toHaveLength(3);
    expect(bench.network.route[2]).not.toBe(first);
  });

  it("is repeated without limit, costs no token and no attempt, and shows in no header", async () => {
    const bench = await readyBench({ ...IDEMPOTENT, retry: { maxAttempts: 2 } });
    await bench.unary();
    for (let repeat = 0; repeat < 10; repeat++) {
      bench.network.current.isStreamOpened = false;
      bench.network.current.endLocally(status.UNAVAILABLE, "Channel closed before call started");
      await next(bench);
    }

    expect(bench.network.calls).toHaveLength(11);
    expect(bench.network.current.previousAttempts).toBeUndefined();
    expect(bench.channel.stats().throttle?.tokens).toBe(20);
  });

  it("ends with the deadline, which it cannot outrun", async () => {
    const bench = await readyBench(NO_POLICY);
    const call = await bench.unary({ deadline: bench.clock.epoch() + 50 });
    for (let turn = 0; turn < 60 && !call.isOver; turn++) {
      bench.network.current.isStreamOpened = false;
      bench.network.current.endLocally(status.UNAVAILABLE, "Channel closed before call started");
      await bench.advance(1);
    }

    expect(call.status).toMatchObject({ code: status.DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED" });
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("is repeated when its connection is gone before it could be asked for a stream", async () => {
    const bench = await readyBench(NO_POLICY, { addresses: [A, B] });
    bench.network.last(A).isClosed = true;
    bench.network.last(B).isClosed = false;
    const calls = [await bench.unary(), await bench.unary()];
    await next(bench);

    expect(bench.network.route).toEqual([B, B]);
    expect(calls.some((call) => call.isOver)).toBe(false);
    expect(bench.channel.stats().calls.transparentRetries).toBe(1);
  });
});

describe("R21: a stream that the server's library refused", () => {
  it("is repeated once at once, on another connection, without a policy", async () => {
    const bench = await readyBench(NO_POLICY, { addresses: [A, B] });
    const call = await bench.unary();

    bench.network.call(0).refuse();
    await next(bench);

    expect(new Set(bench.network.route)).toEqual(new Set([A, B]));
    bench.network.call(1).ok();
    await bench.settle();
    expect(call.status.code).toBe(status.OK);
  });

  it("and refused again goes by the policy: not at all without one", async () => {
    const bench = await readyBench(NO_POLICY, { addresses: [A, B, C] });
    const call = await bench.unary();

    for (let refusal = 0; refusal < 2; refusal++) {
      bench.network.current.refuse();
      await next(bench);
    }

    expect(bench.network.calls).toHaveLength(2);
    expect(call.status).toMatchObject({ code: status.UNAVAILABLE, processed: "no" });
  });

  it("and refused again goes by the policy: after the backoff with one, also when not idempotent", async () => {
    const bench = await readyBench({}, { addresses: [A, B, C] });
    await bench.unary();
    for (let refusal = 0; refusal < 2; refusal++) {
      bench.network.current.refuse();
      await next(bench);
    }
    expect(bench.network.calls).toHaveLength(2);

    await bench.advance(100);

    expect(bench.network.calls).toHaveLength(3);
    expect(bench.network.current.previousAttempts).toBe("1");
  });

  it("R72: by a GOAWAY is repeated on the connection that replaces the old one", async () => {
    const bench = await readyBench(NO_POLICY);
    await bench.advance(60_000);
    const kept = await bench.unary();
    const refused = await bench.unary();

    bench.network.last(A).goaway([bench.network.call(1)]);
    await next(bench);
    bench.network.call(0).ok("old connection");
    bench.network.call(2).ok("new connection");
    await bench.settle();

    expect(kept.messages).toEqual(["old connection"]);
    expect(refused.messages).toEqual(["new connection"]);
    expect(bench.network.dialsOf(A)).toHaveLength(2);
  });
});

describe("R21: an attempt that may have reached the application", () => {
  it("R22: is not repeated when its connection drops, and says maybe", async () => {
    const bench = await readyBench({}, { addresses: [A, B] });
    const call = await bench.unary();

    bench.network.last(bench.network.route[0] ?? "").lose("read ECONNRESET");
    await next(bench);

    expect(bench.network.calls).toHaveLength(1);
    expect(call.status).toMatchObject({
      code: status.UNAVAILABLE,
      reason: "CONNECTION_LOST",
      origin: "local",
      processed: "maybe",
    });
  });

  it("is one whose headers came, though no message did, and then says maybe", async () => {
    const bench = await readyBench();
    const call = await bench.unary();
    bench.network.current.headers();

    bench.network.last(A).lose("read ECONNRESET");
    await next(bench);

    expect(call.status).toMatchObject({ reason: "CONNECTION_LOST", processed: "maybe" });
    expect(bench.network.calls).toHaveLength(1);
  });

  it("is repeated by policy when it is declared idempotent", async () => {
    const bench = await readyBench(IDEMPOTENT, { addresses: [A, B] });
    await bench.unary();

    bench.network.last(bench.network.route[0] ?? "").lose("read ECONNRESET");
    await next(bench);
    expect(bench.network.calls).toHaveLength(1);
    await bench.advance(100);

    expect(new Set(bench.network.route)).toEqual(new Set([A, B]));
  });
});

describe("R21: a pick that found nothing", () => {
  it("goes by the policy, which knows that no server saw it, idempotent or not", async () => {
    const bench = await readyBench();
    bench.network.plan(A, "refuse", "refuse", "ready");
    bench.network.last(A).lose();
    await bench.advance(1_000);
    expect(bench.channel.endpoints()[0]?.state).toBe("TRANSIENT_FAILURE");

    const call = await bench.unary();
    expect(bench.network.calls).toHaveLength(0);
    await bench.advance(10_000);

    expect(call.status).toMatchObject({
      reason: "RETRIES_EXHAUSTED",
      processed: "no",
      code: status.UNAVAILABLE,
    });
    expect(call.status.attempts?.map(({ endpoint, reason }) => [endpoint, reason])).toEqual([
      [null, "DIAL_FAILED"],
      [null, "DIAL_FAILED"],
      [null, "DIAL_FAILED"],
    ]);
  });

  it("fails at once without a policy, with the dial's own error (R111)", async () => {
    const bench = await readyBench(NO_POLICY);
    bench.network.plan(A, "refuse");
    bench.network.last(A).lose();
    await bench.advance(1_000);

    const call = await bench.unary();

    expect(call.status).toMatchObject({ reason: "DIAL_FAILED", processed: "no" });
    expect(call.status.details).toContain(`connect ECONNREFUSED ${A}`);
  });
});
