import { Metadata, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { attemptMetadata } from "../../src/call/attempt-metadata.js";
import { readyBench } from "../support/channel-bench.js";

describe("a probe of an open breaker", () => {
  it("has done its work with its first headers, so that a stream that goes on keeps nobody out", async () => {
    const bench = await readyBench({ breaker: { consecutiveFailures: 1 }, retry: { maxAttempts: 1 } });
    await bench.unary();
    bench.network.current.fail(status.UNAVAILABLE);
    await bench.advance(7_000);
    await bench.unary();

    bench.network.call(1).headers();
    await bench.settle();
    await bench.unary();

    expect(bench.channel.endpoints()[0]?.breaker).toBe("closed");
    expect(bench.network.calls).toHaveLength(3);
  });
});

describe("the metadata of an attempt", () => {
  it("does not ask an inner channel to wait for READY: the wait is the pool's", () => {
    const metadata = new Metadata({ waitForReady: true });

    const pooled = attemptMetadata(metadata, 0, true, true);

    expect(pooled.getOptions().waitForReady).toBe(false);
    expect(metadata.getOptions().waitForReady).toBe(true);
    expect(attemptMetadata(metadata, 0, false, true)).toBe(metadata);
  });

  it("asks a stub's own channel to wait exactly when the call waits, whoever said so", () => {
    const [plain, waiting] = [new Metadata(), new Metadata({ waitForReady: true, idempotentRequest: true })];

    const asked = attemptMetadata(plain, 0, false, true);
    const refused = attemptMetadata(waiting, 0, false, false);

    expect(asked.getOptions()).toEqual({ waitForReady: true });
    expect(refused.getOptions()).toEqual({ waitForReady: false, idempotentRequest: true });
    expect([plain.getOptions(), waiting.getOptions().waitForReady]).toEqual([{}, true]);
    expect(attemptMetadata(plain, 0, false, false)).toBe(plain);
  });
});
