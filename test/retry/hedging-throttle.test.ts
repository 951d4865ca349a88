import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { fail, failedAs, planOf } from "./hedge-situation.js";
import { throttle } from "./situation.js";

describe("the throttle and the failures of hedged attempts", () => {
  it.each([
    ["a code that is not fatal", {}, 9],
    ["a fatal code", { outcome: { code: status.NOT_FOUND } }, 10],
    ["a fatal code with a pushback not to retry", { outcome: { code: status.NOT_FOUND }, pushback: "-1" }, 9],
    ["a code that is not fatal, with a pushback", { pushback: "100" }, 9],
    ["an attempt that ran out of its own time", { outcome: { reason: "ATTEMPT_TIMEOUT" as const } }, 9],
    ["no endpoint to be had", { outcome: { progress: "no-pick" as const } }, 10],
    ["a drop", { outcome: { progress: "dropped" as const } }, 10],
  ])("%s leaves the right number of tokens (R28)", (_what, failure, tokens) => {
    const bucket = throttle(10);

    fail(planOf({}, bucket), failure);

    expect(bucket.tokens).toBe(tokens);
  });

  it("take one token for all attempts that one lost connection ended (R178)", () => {
    const bucket = throttle(10);
    const plan = planOf({}, bucket);
    const incident = {};

    fail(plan, { incident });
    fail(plan, { incident });

    expect(bucket.tokens).toBe(9);
  });

  it.each([
    ["a code that is not fatal", {}, 9],
    ["a fatal one", { outcome: { code: status.NOT_FOUND } }, 10],
  ])("count %s also once the call is committed (R28)", (_what, failure, tokens) => {
    const bucket = throttle(10);
    const plan = planOf({}, bucket);
    plan.stop();

    const why = plan.onCommittedFailure(failedAs(failure), null, true);

    expect(bucket.tokens).toBe(tokens);
    expect(why).toContain("the response had begun");
  });

  it("name the retry buffer where that is what commits the call (R15)", () => {
    expect(planOf().onCommittedFailure(failedAs({}), null, false)).toContain("retry buffer");
  });
});

describe("a bucket at half or below", () => {
  const emptied = () => {
    const bucket = throttle(2);
    bucket.recordFailure();
    return bucket;
  };

  it("never refuses the first attempt, and refuses every further one (R29, R30)", () => {
    const plan = planOf({}, emptied());

    expect(plan.dueAt).toBe(50);
    expect(plan.take(50)).toBe(false);
    expect(plan.take(100)).toBe(false);
    expect([plan.isThrottled, plan.isMoreDue]).toEqual([true, false]);
  });

  it("lets the next one go once tokens have come back (R30)", () => {
    const bucket = emptied();
    const plan = planOf({}, bucket);
    plan.take(50);
    for (let success = 0; success < 10; success++) bucket.recordSuccess();

    expect(plan.take(100)).toBe(true);
    expect(plan.isThrottled).toBe(false);
  });

  it("makes a failure the call's when nothing else is in flight, its own token included (R29, R30)", () => {
    const decision = fail(planOf({}, throttle(2)));

    expect(decision).toEqual({
      kind: "deliver",
      isThrottled: true,
      why: "no further attempt: the retry throttle is at 1 of 2 tokens",
    });
  });

  it("lets the call wait for what is in flight (R30)", () => {
    expect(fail(planOf({}, throttle(2)), { inFlight: 1 }).kind).toBe("wait");
  });
});
