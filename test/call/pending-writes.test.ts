import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { IDEMPOTENT, NOTHING_LEFT, readyBench } from "../support/channel-bench.js";
import { bidi } from "../support/test-call.js";
import { failAttempt, HEDGED } from "./hedges.js";

describe.each([
  ["not retried", { retry: false as const }],
  ["retried", IDEMPOTENT],
  ["hedged", HEDGED],
])("a message that is still on its way when a call ends that is %s", (_how, options) => {
  /** A message that flow control holds up. */
  async function stalled() {
    const bench = await readyBench(options);
    bench.network.holdsWrites = true;
    for (const dial of bench.network.dials) dial.holdsWrites = true;
    const call = bidi(bench.channel).write("held up");
    await bench.settle();
    expect(call.flushed).toEqual([]);
    return { bench, call };
  }

  it("is told of to its writer after the answer has begun, as bare grpc-js does (B28)", async () => {
    const { bench, call } = await stalled();

    bench.network.current.failAfterHeaders(status.INTERNAL);
    await bench.settle();

    expect(call.flushed).toEqual(["held up"]);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("is told of to its writer once when the server refuses the call (B28)", async () => {
    const { bench, call } = await stalled();

    await failAttempt(bench, 0, {}, status.NOT_FOUND);

    expect(call.flushed).toEqual(["held up"]);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("is told of to its writer once when its caller cancels (B28)", async () => {
    const { bench, call } = await stalled();

    call.cancel();
    await bench.settle();

    expect(call.flushed).toEqual(["held up"]);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });
});
