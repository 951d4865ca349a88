import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { failCurrent } from "../call/attempts.js";
import { A, B, NOTHING_LEFT, readyBench } from "../support/channel-bench.js";

/** Two attempts, and a bucket that the first failure empties to its half. */
const HEDGED = {
  methods: { "test.Echo": { idempotent: true } },
  hedging: { maxAttempts: 2, delayMs: 50 },
  retry: { throttle: { maxTokens: 2 } },
};

describe("a hedge that the throttle refuses", () => {
  it("as pushback's time has come returns the failure, since nothing else is in flight (R30)", async () => {
    const bench = await readyBench(HEDGED, { addresses: [A, B] });
    const call = await bench.unary({ deadline: bench.clock.epoch() + 60_000 });
    await failCurrent(bench, { "grpc-retry-pushback-ms": "100" });
    expect(call.isOver).toBe(false);

    await bench.advance(100);

    expect(bench.network.calls).toHaveLength(1);
    expect(call.statuses).toHaveLength(1);
    expect(call.status).toMatchObject({ code: status.UNAVAILABLE, details: "scripted" });
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("is dropped while another attempt is in flight, which may still answer (R30)", async () => {
    const bench = await readyBench(HEDGED, { addresses: [A, B] });
    await bench.unary({ request: "empties the bucket" });
    await failCurrent(bench);
    const call = await bench.unary();
    const before = bench.network.calls.length;

    await bench.advance(1_000);
    expect(bench.network.calls).toHaveLength(before);
    bench.network.current.ok();
    await bench.settle();

    expect(call.status.code).toBe(status.OK);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });
});
