import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { A, ChannelBench, IDEMPOTENT, readyBench } from "../support/channel-bench.js";
import { TestCall } from "../support/test-call.js";

/** A call made now and started later, as by an interceptor that first fetches a token. */
async function startedAfter(ms: number, bench: ChannelBench, deadlineMs: number): Promise<TestCall> {
  const deadline = bench.clock.epoch() + deadlineMs;
  const inner = bench.channel.createCall("/test.Echo/Say", deadline, undefined, null, undefined);
  await bench.advance(ms);
  const call = new TestCall({ createCall: () => inner }).read().write("x").end();
  await bench.settle();
  return call;
}

describe("a call that is started some time after it was made", () => {
  it("R51: sends nothing when its deadline passed meanwhile", async () => {
    const bench = await readyBench();

    const call = await startedAfter(500, bench, 300);

    expect(call.status).toMatchObject({ code: status.DEADLINE_EXCEEDED, processed: "no" });
    expect(call.status.details).toContain("200 ms before the call began");
    expect(bench.network.calls).toHaveLength(0);
  });

  it("gives its first attempt the attempt's whole time", async () => {
    const bench = await readyBench({ ...IDEMPOTENT, attemptTimeoutMs: 1_000 });

    await startedAfter(500, bench, 10_000);

    expect(bench.network.current.timeoutAt(bench.clock.epoch())).toBe(1_000);
  });

  it("tells the attempt's own time in its story, and the whole time in its sentence", async () => {
    const bench = await readyBench();
    const call = await startedAfter(500, bench, 10_000);
    await bench.advance(40);
    bench.network.current.fail(status.ABORTED);
    await bench.settle();

    expect(call.status.attempts?.[0]).toMatchObject({ startedMs: 500, ms: 40 });
    expect(call.status.explanation).toContain("in 540 ms");
  });

  it("waits for an endpoint until its deadline, not longer", async () => {
    const bench = new ChannelBench();
    bench.network.plan(A, "hang");
    const call = await startedAfter(500, bench, 2_000);

    await bench.advance(1_500);

    expect(call.status).toMatchObject({ reason: "NO_READY_ENDPOINT" });
  });
});
