import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { decide, type Situation, throttle } from "./situation.js";

/** Tokens a situation takes from a full bucket of 20. */
function cost(situation: Situation): number {
  const bucket = throttle();
  decide({ ...situation, throttle: bucket });
  return bucket.maxTokens - bucket.tokens;
}

describe("what reaches the throttle", () => {
  it("R28: a success gives tokens back, also without a policy", () => {
    const bucket = throttle();
    bucket.recordFailure();

    const decision = decide({
      policy: { maxAttempts: 1 },
      outcome: { code: status.OK, processed: "yes" },
      throttle: bucket,
    });

    expect(decision).toEqual({
      kind: "deliver",
      why: "delivered: the attempt succeeded",
      isThrottled: false,
    });
    expect(bucket.tokens).toBe(19.1);
  });

  it.each<[string, Situation]>([
    ["a failure that is retried", {}],
    ["a committed failure", { progress: { isCommitted: true } }],
    ["the last attempt", { progress: { countedAttempts: 3 } }],
    ["a failure that no longer fits the buffer", { progress: { isReplayable: false } }],
    ["a failure proven unprocessed", { progress: { isIdempotent: false }, outcome: { processed: "no" } }],
    ["an attempt timeout", { outcome: { code: status.DEADLINE_EXCEEDED, reason: "ATTEMPT_TIMEOUT" } }],
    ["a forbidding pushback on any code", { outcome: { code: status.NOT_FOUND }, pushback: "-1" }],
    ["an unreadable pushback on any code", { outcome: { code: status.NOT_FOUND }, pushback: "soon" }],
  ])("R28: %s takes a token", (_what, situation) => {
    expect(cost(situation)).toBe(1);
  });

  it.each<[string, Situation]>([
    ["a code that is not listed", { outcome: { code: status.INVALID_ARGUMENT } }],
    ["a code that is not listed, with pushback", { outcome: { code: status.INTERNAL }, pushback: "5" }],
    ["a call that may not be retried", { progress: { isIdempotent: false } }],
    ["a call that may not be retried, told not to", { progress: { isIdempotent: false }, pushback: "-1" }],
    ["a method without a policy", { policy: { maxAttempts: 1 } }],
    ["an attempt that never left the client", { outcome: { progress: "unsent", processed: "no" } }],
    [
      "an attempt that never left the client, of a request no longer buffered",
      { outcome: { progress: "unsent", processed: "no" }, progress: { isReplayable: false } },
    ],
    ["a dropped call", { outcome: { progress: "dropped", processed: "no" } }],
    ["a cancelled call", { outcome: { reason: "CANCELLED", origin: "local" } }],
    ["the end of the call's deadline", { outcome: { reason: "DEADLINE_EXCEEDED", origin: "local" } }],
  ])("R28: %s takes nothing", (_what, situation) => {
    expect(cost(situation)).toBe(0);
  });

  it("R29: the failure's own token is taken before the question", () => {
    const decision = decide({ throttle: throttle(2) });

    expect(decision).toEqual({
      kind: "deliver",
      why: "not retried: the retry throttle is at 1 of 2 tokens",
      isThrottled: true,
    });
  });

  it("R29: retries stop at half of the tokens, and the trail says how many are left", () => {
    const bucket = throttle();
    const decisions = Array.from({ length: 11 }, () => decide({ throttle: bucket }));

    expect(decisions.slice(0, 9).every(({ kind }) => kind === "retry")).toBe(true);
    expect(decisions[9]).toEqual({
      kind: "deliver",
      why: "not retried: the retry throttle is at 10 of 20 tokens",
      isThrottled: true,
    });
    expect(decisions[10]?.why).toBe("not retried: the retry throttle is at 9 of 20 tokens");
  });

  it("a lost connection with a hundred calls takes one token, so they are all retried elsewhere", () => {
    const bucket = throttle();
    const incident = {};

    const decisions = Array.from({ length: 100 }, () =>
      decide({ outcome: { reason: "CONNECTION_LOST", isConnectionLoss: true }, throttle: bucket, incident }),
    );

    expect(decisions.every(({ kind }) => kind === "retry")).toBe(true);
    expect(bucket.tokens).toBe(19);
  });

  it("R30: blames the throttle only when nothing else stood in the way", () => {
    const empty = throttle(2);
    for (let n = 0; n < 2; n++) empty.recordFailure();
    const others: Situation[] = [
      { progress: { isCommitted: true } },
      { progress: { countedAttempts: 3 } },
      { progress: { isIdempotent: false } },
      { outcome: { code: status.NOT_FOUND } },
      { pushback: "-1" },
    ];

    const decisions = others.map((situation) => decide({ ...situation, throttle: empty }));

    expect(decisions.map((decision) => decision.kind === "deliver" && decision.isThrottled)).toEqual(
      others.map(() => false),
    );
    expect(decide({ throttle: empty })).toMatchObject({ kind: "deliver", isThrottled: true });
  });

  it("retries without a throttle when it is off", () => {
    expect(decide({ throttle: null }).kind).toBe("retry");
  });
});
