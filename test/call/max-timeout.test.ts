import { propagate, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { callOptions } from "../../src/call/index.js";
import { NOTHING_LEFT, readyBench } from "../support/channel-bench.js";
import { bidi, clientStream, serverStream, unary } from "../support/test-call.js";

const CAPPED = { methods: { "test.Echo/Say": { maxTimeoutMs: 1_000 } } };
const KINDS = [
  ["unary", unary],
  ["client-streaming", clientStream],
  ["server-streaming", serverStream],
  ["bidirectional", bidi],
] as const;

describe.each(KINDS)("maxTimeoutMs of a method, on a %s call,", (_kind, start) => {
  it("shortens a deadline that its caller gave (R48)", async () => {
    const bench = await readyBench(CAPPED);
    const call = start(bench.channel, { deadline: bench.clock.epoch() + 60_000 });
    await bench.settle();
    expect(bench.network.current.timeoutAt(bench.clock.epoch())).toBe(1_000);

    await bench.advance(1_000);

    expect(call.status.code).toBe(status.DEADLINE_EXCEEDED);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("is the deadline of a call whose caller gave none (R48)", async () => {
    const bench = await readyBench({ ...CAPPED, timeoutMs: null });
    const call = start(bench.channel);

    await bench.advance(999);
    expect(call.isOver).toBe(false);
    await bench.advance(1);

    expect(call.status.code).toBe(status.DEADLINE_EXCEEDED);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("never lengthens one (R48)", async () => {
    const bench = await readyBench(CAPPED);
    const call = start(bench.channel, { deadline: bench.clock.epoch() + 300 });

    await bench.advance(300);

    expect(call.status.code).toBe(status.DEADLINE_EXCEEDED);
  });

  it("holds where callOptions ask for no limit at all (R48)", async () => {
    const bench = await readyBench(CAPPED);
    const call = start(bench.channel, { deadline: callOptions({ timeoutMs: null }).deadline as Date });

    await bench.advance(1_000);

    expect(call.status.code).toBe(status.DEADLINE_EXCEEDED);
  });
});

describe("maxTimeoutMs", () => {
  it("holds for its own method only", async () => {
    const bench = await readyBench(CAPPED);
    const call = serverStream(bench.channel, { method: "/test.Echo/Other" });

    await bench.advance(3_600_000);

    expect(call.isOver).toBe(false);
    call.cancel();
  });

  it.each([
    [300, 300],
    [60_000, 1_000],
  ])("is the smaller of itself and the parent's deadline (parent %d ms) (R48)", async (parents, expected) => {
    const bench = await readyBench(CAPPED);
    const parent = {
      getDeadline: () => bench.clock.epoch() + parents,
      on: () => {},
      removeListener: () => {},
    };
    unary(bench.channel, { parent: parent as never, propagateFlags: propagate.DEFAULTS });
    await bench.settle();

    expect(bench.network.current.timeoutAt(bench.clock.epoch())).toBe(expected);
  });

  it("covers all attempts and waits of a call together (R47)", async () => {
    const methods = { "test.Echo": { maxTimeoutMs: 1_000, idempotent: true, attemptTimeoutMs: null } };
    const bench = await readyBench({ methods });
    const call = await bench.unary();
    bench.network.current.fail(status.UNAVAILABLE, "busy", { "grpc-retry-pushback-ms": "5000" });

    await bench.advance(1_000);

    expect(call.status).toMatchObject({ code: status.DEADLINE_EXCEEDED });
    expect(call.status.details).toContain("busy");
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });
});
