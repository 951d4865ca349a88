import { status } from "@grpc/grpc-js";
import { describe, expect, it, vi } from "vitest";
import { isReason, ResilienceError } from "../../src/core/index.js";
import { A, B, ChannelBench, IDEMPOTENT, readyBench } from "../support/channel-bench.js";

/** C22: what is told of an attempt that is over. */
const C22 = {
  type: "call.attempt",
  method: "/test.Echo/Say",
  endpoint: A,
  ms: 0,
  sentBytes: 5,
  receivedBytes: 4,
};

describe("the story of a failed call", () => {
  it("tells every attempt: where, when, how long, how it ended, and what followed", async () => {
    const bench = await readyBench({ ...IDEMPOTENT, retry: { maxAttempts: 2 } }, { addresses: [A, B] });
    const call = await bench.unary();
    const [first, second] = bench.network.route[0] === A ? [A, B] : [B, A];
    await bench.advance(20);
    bench.network.current.fail(status.UNAVAILABLE, "busy");
    await bench.advance(100);
    await bench.advance(30);
    bench.network.last(second).lose("read ECONNRESET");
    await bench.settle();

    expect(call.status.attempts).toEqual([
      {
        attempt: 1,
        endpoint: first,
        startedMs: 0,
        ms: 20,
        code: status.UNAVAILABLE,
        reason: "REMOTE",
        origin: "remote",
        processed: "maybe",
        details: "busy",
        next: "retried after 100 ms",
      },
      {
        attempt: 2,
        endpoint: second,
        startedMs: 120,
        ms: 30,
        code: status.UNAVAILABLE,
        reason: "CONNECTION_LOST",
        origin: "local",
        processed: "maybe",
        details: "Connection dropped",
        next: "not retried: 2 of 2 attempts used",
      },
    ]);
    expect(call.status.details).toBe(
      `test.Echo/Say: UNAVAILABLE after 2 attempts on ${first}, ${second} in 150 ms: Connection dropped; ` +
        "not retried: 2 of 2 attempts used; the server may have run it",
    );
    expect(call.status.reason).toBe("RETRIES_EXHAUSTED");
  });

  it("leaves a server's code, details and metadata untouched, and says REMOTE", async () => {
    const bench = await readyBench();
    const call = await bench.unary();

    bench.network.current.fail(status.NOT_FOUND, "no such user", { "retry-info": "none" });
    await bench.settle();

    expect(call.status).toMatchObject({
      code: status.NOT_FOUND,
      details: "no such user",
      reason: "REMOTE",
      origin: "remote",
    });
    expect(call.status.metadata.get("retry-info")).toEqual(["none"]);
    expect(call.status.explanation).toContain("no such user");
  });

  it("is marked for isReason and instanceof, and bears no field that would break grpc-js's error", async () => {
    const bench = await readyBench();
    const call = await bench.unary();

    call.cancel();
    await bench.settle();

    expect(isReason(call.status, "CANCELLED")).toBe(true);
    expect(call.status).toBeInstanceOf(ResilienceError);
    for (const key of ["message", "name", "stack"]) expect(key in call.status).toBe(false);
  });

  it("is not told where the call went well at the first attempt", async () => {
    const bench = await readyBench();
    const call = await bench.unary();

    bench.network.current.ok();
    await bench.settle();

    expect(Object.keys(call.status).sort()).toEqual(["code", "details", "metadata"]);
  });

  it("R163: a failure of our own uses no code that belongs to applications", async () => {
    const bench = new ChannelBench({ retry: { maxAttempts: 1 } });
    bench.network.plan(A, "refuse");
    const down = await bench.unary();
    await bench.channel.close();
    const closed = await bench.unary();

    expect([down.status.code, closed.status.code]).toEqual([status.UNAVAILABLE, status.CANCELLED]);
  });
});

describe("the events of a call", () => {
  it("E47: tell each pick, each retry and the recovery", async () => {
    const bench = await readyBench(IDEMPOTENT);
    await bench.unary();
    bench.network.current.fail(status.UNAVAILABLE);
    await bench.advance(100);
    bench.network.current.ok();
    await bench.settle();

    expect(bench.events.filter(({ type }) => type.startsWith("call."))).toEqual([
      { type: "call.picked", method: "/test.Echo/Say", attempt: 1, endpoint: A },
      { ...C22, attempt: 1, code: status.UNAVAILABLE, receivedBytes: 0 },
      {
        type: "call.retry",
        method: "/test.Echo/Say",
        attempt: 1,
        endpoint: A,
        code: status.UNAVAILABLE,
        reason: "REMOTE",
        kind: "policy",
        delayMs: 100,
      },
      { type: "call.picked", method: "/test.Echo/Say", attempt: 2, endpoint: A },
      { ...C22, attempt: 2, code: status.OK },
      { type: "call.recovered", method: "/test.Echo/Say", attempts: 2 },
    ]);
  });

  it("E47: tell a failure once, with its explanation", async () => {
    const bench = await readyBench();
    const call = await bench.unary();

    bench.network.current.fail(status.ABORTED, "conflict");
    await bench.settle();

    expect(bench.eventsOf("call.failed")).toEqual([
      {
        type: "call.failed",
        method: "/test.Echo/Say",
        attempts: 1,
        code: status.ABORTED,
        reason: "REMOTE",
        explanation: call.status.explanation,
      },
    ]);
  });

  it("change nothing when a listener throws", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const bench = await readyBench(IDEMPOTENT);
    bench.channel.onEvent(() => {
      throw new Error("broken logger");
    });
    const call = await bench.unary();
    bench.network.current.fail(status.UNAVAILABLE);
    await bench.advance(100);
    bench.network.current.ok();
    await bench.settle();

    expect(call.status.code).toBe(status.OK);
    warn.mockRestore();
  });
});
