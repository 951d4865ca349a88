import { Metadata, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { Backoff } from "../../src/retry/backoff.js";
import { backoffOptionsSchema } from "../../src/retry/retry-options.js";
import { fixedRandom } from "../support/seeded-random.js";
import { decide, type Situation, throttle } from "./situation.js";

describe("how long a retry waits", () => {
  it("R9: grows the wait with every retry", () => {
    const delays = [0, 1, 2].map((retriesSincePushback) => decide({ progress: { retriesSincePushback } }));

    expect(delays).toEqual(
      [100, 200, 400].map((delayMs) => ({
        kind: "retry",
        delayMs,
        isPushback: false,
        why: `retried after ${delayMs} ms`,
      })),
    );
  });

  it("R25: waits exactly as long as the pushback says, without jitter", () => {
    const jittery = new Backoff(backoffOptionsSchema.parse({}), fixedRandom(0.9));

    const decision = decide({ policy: { backoff: jittery }, pushback: "250" });

    expect(decision).toEqual({
      kind: "retry",
      delayMs: 250,
      isPushback: true,
      why: "retried after 250 ms, as the server's pushback asked",
    });
  });

  it("R26: starts the backoff anew after a pushback", () => {
    const decision = decide({ progress: { countedAttempts: 2, retriesSincePushback: 0 } });

    expect(decision).toMatchObject({ kind: "retry", delayMs: 100 });
  });
});

describe("what pushback cannot do", () => {
  it("R24: a pushback that forbids it keeps a retryable failure from being retried", () => {
    const decision = decide({ pushback: "-1" });

    expect(decision).toEqual({
      kind: "deliver",
      why: "not retried: the server's pushback forbids it",
      isThrottled: false,
    });
  });

  it.each<[string, Situation]>([
    ["make a non-retryable code retryable", { outcome: { code: status.INTERNAL } }],
    ["lift maxAttempts", { progress: { countedAttempts: 3 } }],
    ["make a method idempotent", { progress: { isIdempotent: false } }],
    ["undo a commit", { progress: { isCommitted: true } }],
    ["lift the throttle", { throttle: throttle(2) }],
  ])("R25: pushback cannot %s", (_what, situation) => {
    const metadata = new Metadata();
    metadata.set("grpc-retry-pushback-ms", "0");

    const decision = decide({ ...situation, outcome: { ...situation.outcome, metadata } });

    expect(decision.kind).toBe("deliver");
  });
});
