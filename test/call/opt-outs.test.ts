import { describe, expect, it } from "vitest";
import { CallLimits } from "../../src/call/call-limits.js";
import { callOptions, settingsOf } from "../../src/call/call-settings.js";
import { channelOptionsSchema } from "../../src/call/channel-options.js";
import type { MethodPolicy } from "../../src/call/method-policy.js";
import { TurnClock } from "../../src/call/turn-clock.js";
import { ManualClock } from "../support/manual-clock.js";

const UNARY = { requestStream: false, responseStream: false };

describe("what a user may turn off", () => {
  it("the default deadline of one call, by timeoutMs: null", () => {
    const { deadline = 0 } = callOptions({ timeoutMs: null });
    const limits = new CallLimits(
      new TurnClock(new ManualClock()),
      settingsOf(deadline),
      deadline,
      null,
      null,
    );

    const policy = { timeoutMs: 30_000, maxTimeoutMs: null } as MethodPolicy;
    limits.begin(policy, UNARY, { cancelFrom: () => {} });

    expect(limits.deadline).toBe(Number.POSITIVE_INFINITY);
  });

  it("all retries of a channel, by retry: false", () => {
    const options = channelOptionsSchema.parse({ insecure: true, retry: false });

    expect(options.retry.maxAttempts).toBe(1);
  });
});
