import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { type FailureCount, FailureCounts } from "../../src/call/failure-counts.js";
import type { Outcome } from "../../src/core/index.js";
import { A, type ChannelBench, readyBench } from "../support/channel-bench.js";

const METHOD = "/test.Echo/Say";

describe("A36: failed attempts by method and endpoint", () => {
  it.each<[string, (bench: ChannelBench) => void | Promise<void>, Partial<FailureCount>]>([
    ["refused by the server", (bench) => bench.network.current.fail(status.UNAVAILABLE), { rejected: 1 }],
    ["lost", (bench) => bench.network.last(A).lose("read ECONNRESET"), { exception: 1 }],
    ["too slow", (bench) => bench.advance(50), { timeout: 1 }],
  ])("tell what was %s", async (_what, fail, expected) => {
    const bench = await readyBench({ retry: false, attemptTimeoutMs: 50 });
    await bench.unary();

    await fail(bench);
    await bench.settle();

    const none = { timeout: 0, rejected: 0, exception: 0 };
    expect(bench.channel.stats().failures).toEqual([{ method: METHOD, endpoint: A, ...none, ...expected }]);
  });

  it("do not hold what the caller cancelled", async () => {
    const bench = await readyBench();
    const call = await bench.unary();

    call.inner.cancelWithStatus(status.CANCELLED, "enough");
    await bench.settle();

    expect(bench.channel.stats().failures).toEqual([]);
  });

  it("stay bounded when methods never end", () => {
    const counts = new FailureCounts();
    const outcome = { reason: "REMOTE", origin: "remote" } as Outcome;

    for (let at = 0; at < 1_500; at++) counts.count(`/a.B/M${at}`, "a:1", outcome);

    expect(counts.list()).toHaveLength(1_001);
    expect(counts.list().at(-1)).toMatchObject({ method: "other", endpoint: "other", rejected: 500 });
  });
});
