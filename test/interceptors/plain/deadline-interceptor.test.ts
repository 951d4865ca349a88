import * as grpc from "@grpc/grpc-js";
import { callOptions, type DeadlineOptions, deadlineInterceptor, isReason } from "holdfast";
import { describe, expect, it } from "vitest";
import { configErrorOf } from "../../support/config-error.js";
import { direct } from "../../support/directed-server.js";
import { ManualClock, settle } from "../../support/manual-clock.js";
import { FakeTransport, type StartArgs, unaryThrough } from "./fake-below.js";
import { usePlainBench } from "./plain-bench.js";

const { status } = grpc;

/** The deadline of a call below the interceptor, in ms from now; `Infinity` for none. */
function deadlineBelow(options: DeadlineOptions, args: StartArgs = {}, clock = new ManualClock()): number {
  const transport = new FakeTransport();
  unaryThrough(deadlineInterceptor(options, { clock }), transport, args);
  return Number(transport.last.options.deadline ?? Number.POSITIVE_INFINITY) - clock.epoch();
}

describe("the deadline interceptor", () => {
  it("gives a call with a single response a deadline", () => {
    expect(deadlineBelow({})).toBe(30_000);
    expect(deadlineBelow({ timeoutMs: 500 })).toBe(500);
    expect(deadlineBelow({ timeoutMs: 500 }, { requestStream: true })).toBe(500);
  });

  it("leaves a stream of responses alone unless its method is named", () => {
    const methods = { "test.Service/Method": { timeoutMs: 60_000 } };

    expect(deadlineBelow({}, { responseStream: true })).toBe(Number.POSITIVE_INFINITY);
    expect(deadlineBelow({ methods }, { responseStream: true })).toBe(60_000);
  });

  it("takes the limit of the method before that of its service before the general one", () => {
    const methods = { "test.Service": { timeoutMs: 200 }, "test.Service/Slow": { timeoutMs: null } };

    expect(deadlineBelow({ methods }, { method: "/test.Service/Any" })).toBe(200);
    expect(deadlineBelow({ methods }, { method: "/test.Service/Slow" })).toBe(Number.POSITIVE_INFINITY);
    expect(deadlineBelow({ methods, timeoutMs: 7 }, { method: "/test.Other/Slow" })).toBe(7);
    expect(deadlineBelow({ timeoutMs: 7 }, { method: "/toString" })).toBe(7);
  });

  it("C28, R48: shortens a longer deadline and never lengthens a shorter one", () => {
    const clock = new ManualClock();
    const at = (ms: number) => ({ options: { deadline: new Date(clock.epoch() + ms) } });

    expect(deadlineBelow({ timeoutMs: 500 }, at(100), clock)).toBe(100);
    expect(deadlineBelow({ timeoutMs: 500 }, at(900), clock)).toBe(500);
  });

  it("keeps what callOptions put on the call", () => {
    const clock = new ManualClock();
    const transport = new FakeTransport();
    const options = callOptions({ timeoutMs: 900, idempotent: true, waitForReady: true });

    unaryThrough(deadlineInterceptor({ timeoutMs: 500 }, { clock }), transport, { options });

    const { deadline } = transport.last.options;
    expect(Number(deadline)).toBe(clock.epoch() + 500);
    expect(deadline).toMatchObject({ settings: { idempotent: true, waitForReady: true } });
    expect(deadline).not.toMatchObject({ settings: { timeoutMs: 900 } });
  });

  it("lets callOptions shorten the time, and opt a call out with null", () => {
    expect(deadlineBelow({ timeoutMs: 500 }, { options: callOptions({ timeoutMs: 100 }) })).toBe(100);
    expect(deadlineBelow({ timeoutMs: 500 }, { options: callOptions({ timeoutMs: null }) })).toBeGreaterThan(
      1e12,
    );
  });

  it("R51: does not send a call whose deadline has passed", async () => {
    const clock = new ManualClock();
    const transport = new FakeTransport();
    const options = { deadline: clock.epoch() - 20 };

    const { told } = unaryThrough(deadlineInterceptor({}, { clock }), transport, { options });
    await settle();

    expect(transport.calls).toEqual([]);
    expect(told.statuses[0]).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      reason: "DEADLINE_EXCEEDED",
      processed: "no",
      details: "The deadline passed 20 ms before the call began",
    });
  });

  it("sets no timer of its own", () => {
    const clock = new ManualClock();

    deadlineBelow({ timeoutMs: 500 }, {}, clock);

    expect(clock.pendingTimers).toBe(0);
  });

  it.each([
    [{ timeoutMs: 0 }, "timeoutMs is 0; allowed: 1 or more"],
    [{ timeoutMs: null }, "timeoutMs is null"],
    [{ methods: { "/a.B/C": { timeoutMs: 5 } } }, "no leading slash"],
    [{ methods: { "a.B/C": { timeoutMS: 5 } } }, "timeoutMS is not a known key"],
  ])("refuses %o", (options, sentence) => {
    const error = configErrorOf(() => deadlineInterceptor(options as unknown as DeadlineOptions));

    expect(error.details).toContain(sentence);
  });
});

describe("the deadline interceptor on a real client", () => {
  const bench = usePlainBench();

  it("ends a call that is not answered, and says that the server may have run it", async () => {
    const stub = bench.open([deadlineInterceptor({ timeoutMs: 100 })]);

    const { error } = await bench.call(stub, "unary", { metadata: direct("hang") });

    expect(isReason(error, "DEADLINE_EXCEEDED")).toBe(true);
    expect(error).toMatchObject({ code: status.DEADLINE_EXCEEDED, origin: "local", processed: "maybe" });
    expect(Reflect.get(error as object, "explanation")).toMatch(
      /^holdfast\.contract\.Contract\/Unary: DEADLINE_EXCEEDED in \d+ ms: Deadline exceeded after .*; the server may have run it$/,
    );
  });
});
