import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { LatencyWindow } from "../../src/retry/latency-window.js";
import { fail, planOf } from "./hedge-situation.js";
import { ALL_CODES } from "./outcomes.js";
import { throttle } from "./situation.js";

const NEVER = Number.POSITIVE_INFINITY;

describe("the attempts of a hedged call", () => {
  it("start one delay after another until maxAttempts (R32)", () => {
    const plan = planOf({ maxAttempts: 3, delayMs: 50 });
    const due = [plan.dueAt];

    for (const at of [50, 100]) {
      plan.take(at);
      due.push(plan.dueAt);
    }

    expect(due).toEqual([50, 100, NEVER]);
  });

  it("start all at once with a delay of 0 (R6)", () => {
    const plan = planOf({ maxAttempts: 3, delayMs: 0 });

    expect(plan.dueAt).toBe(0);
    plan.take(0);
    expect(plan.dueAt).toBe(0);
    plan.take(0);
    expect(plan.isMoreDue).toBe(false);
  });

  it("end once the call is committed (R32)", () => {
    const plan = planOf();

    plan.stop();

    expect([plan.dueAt, plan.isMoreDue, plan.isStopped]).toEqual([NEVER, false, true]);
  });

  it("are a full delay apart where one had to wait for an endpoint (R45)", () => {
    const plan = planOf();
    plan.take(50);

    plan.startedLate(70);

    expect(plan.dueAt).toBe(120);
  });

  it("that waited for an endpoint do not bring forward what pushback put off (R37)", () => {
    const plan = planOf({ maxAttempts: 4 });
    plan.take(50);
    fail(plan, { at: 60, pushback: "1000", due: 1 });

    plan.startedLate(70);

    expect(plan.dueAt).toBe(1_060);
  });

  it("that was the last one is followed by none, however late it started", () => {
    const plan = planOf({ maxAttempts: 2 });
    plan.take(50);

    plan.startedLate(70);

    expect(plan.isMoreDue).toBe(false);
  });
});

describe("with delayMs p95 the next attempt", () => {
  const windowOf = (count: number): LatencyWindow => {
    const latency = new LatencyWindow();
    for (let ms = 1; ms <= count; ms++) latency.record(ms);
    return latency;
  };

  it("starts after initialDelayMs while too few answers are known", () => {
    expect(planOf({ delayMs: "p95", initialDelayMs: 30 }, null, windowOf(19)).dueAt).toBe(30);
  });

  it("starts when 95 % of the answers would have come (R32)", () => {
    expect(planOf({ delayMs: "p95", initialDelayMs: 30 }, null, windowOf(100)).dueAt).toBe(95);
  });

  it("follows what was learned since the call began", () => {
    const latency = windowOf(100);
    const plan = planOf({ delayMs: "p95" }, null, latency);
    for (let count = 0; count < 128; count++) latency.record(7);

    plan.take(95);

    expect(plan.dueAt).toBe(102);
  });
});

describe("a failure of one attempt of a hedged call", () => {
  it("with a code that is not fatal starts the next attempt at once, and the one after it a full delay later (R33)", () => {
    const plan = planOf();

    expect(fail(plan, { at: 10, inFlight: 0 })).toEqual({ kind: "send", why: "next attempt at once" });
    expect(plan.dueAt).toBe(60);
  });

  it("of an attempt that ran out of its own time is never fatal", () => {
    const plan = planOf({ nonFatalCodes: [] });
    const timedOut = { code: status.DEADLINE_EXCEEDED, reason: "ATTEMPT_TIMEOUT" as const };

    expect(fail(plan, { outcome: timedOut }).kind).toBe("send");
  });

  it.each(ALL_CODES.filter((code) => code !== status.OK && code !== status.UNAVAILABLE))(
    "with code %i ends the call, whatever else is in flight (R34)",
    (code) => {
      expect(fail(planOf(), { outcome: { code }, inFlight: 2 })).toMatchObject({
        kind: "deliver",
        isThrottled: false,
        why: expect.stringContaining("is fatal to a hedged call"),
      });
    },
  );

  it("is fatal with any code where nonFatalCodes is empty (R6, R34)", () => {
    expect(fail(planOf({ nonFatalCodes: [] }), { inFlight: 1 }).kind).toBe("deliver");
  });

  it.each([
    "CANCELLED",
    "DEADLINE_EXCEEDED",
    "CLIENT_CLOSED",
    "MESSAGE_TOO_LARGE",
    "METADATA_INVALID",
    "CIRCUIT_OPEN",
  ] as const)("for the reason %s ends the call whatever its code (R34)", (reason) => {
    expect(fail(planOf(), { outcome: { reason }, inFlight: 1 }).kind).toBe("deliver");
  });

  it("that a load-balancing policy dropped ends the call (R21)", () => {
    expect(fail(planOf(), { outcome: { progress: "dropped" }, inFlight: 1 }).kind).toBe("deliver");
  });

  it("is waited out while others are in flight and none may follow (R36)", () => {
    const plan = planOf({ maxAttempts: 2 });
    plan.take(50);

    expect(fail(plan, { inFlight: 1 })).toEqual({ kind: "wait", why: "1 more in flight" });
  });

  it("is the call's when it was the last of all (R36)", () => {
    const plan = planOf({ maxAttempts: 2 });
    plan.take(50);

    expect(fail(plan)).toEqual({
      kind: "deliver",
      isThrottled: false,
      why: "no further attempt: 2 of 2 attempts used",
    });
  });
});

describe("pushback to a hedged call", () => {
  it("of n ms puts the next attempt off, and the ones after it follow by the delay (R37)", () => {
    const plan = planOf();

    const decision = fail(plan, { at: 10, pushback: "200" });

    expect(decision).toEqual({
      kind: "wait",
      why: "next attempt after 200 ms, as the server's pushback asked",
    });
    expect(plan.dueAt).toBe(210);
    plan.take(210);
    expect(plan.dueAt).toBe(260);
  });

  it.each(["-1", "soon", "", "1.5"])(
    "of %j starts no more attempts, and lets those in flight finish (R24, R37)",
    (pushback) => {
      const plan = planOf();

      expect(fail(plan, { pushback, inFlight: 1, due: 1 })).toEqual({
        kind: "wait",
        why: "1 more in flight",
      });
      expect([plan.isMoreDue, plan.isStopped]).toEqual([false, true]);
    },
  );

  it("that stops attempts stops those too that only wait to be sent (R37)", () => {
    expect(fail(planOf(), { pushback: "-1", due: 1 })).toEqual({
      kind: "deliver",
      isThrottled: false,
      why: "no further attempt: the server's pushback forbids another attempt",
    });
  });

  it("does not make a fatal code less so (R25)", () => {
    const outcome = { code: status.NOT_FOUND };

    expect(fail(planOf(), { outcome, pushback: "0" }).kind).toBe("deliver");
  });

  it("does not lift maxAttempts (R25)", () => {
    const plan = planOf({ maxAttempts: 2 });
    plan.take(50);

    expect(fail(plan, { pushback: "0" }).kind).toBe("deliver");
    expect(plan.isMoreDue).toBe(false);
  });
});

describe("a hedged attempt that no application has seen", () => {
  it("is repeated as often as it never left the client (R21)", () => {
    const plan = planOf();

    for (let time = 0; time < 50; time++) {
      expect(fail(plan, { outcome: { progress: "unsent", processed: "no" } }).kind).toBe("transparent");
    }
    expect(plan.dueAt).toBe(50);
  });

  it("is repeated once per call where the server refused it (R21)", () => {
    const plan = planOf({ maxAttempts: 2 });
    const refused = { outcome: { progress: "refused" as const, processed: "no" as const } };

    expect(fail(plan, refused).kind).toBe("transparent");
    expect(fail(plan, refused).kind).toBe("send");
    expect(fail(plan, refused).kind).toBe("deliver");
  });

  it("is not repeated where the reason would make it fail again", () => {
    const outcome = { progress: "unsent" as const, reason: "METADATA_INVALID" as const };

    expect(fail(planOf(), { outcome }).kind).toBe("deliver");
  });

  it("is not repeated any more once pushback said to stop (R37)", () => {
    const plan = planOf();
    fail(plan, { pushback: "-1", inFlight: 1 });

    expect(fail(plan, { outcome: { progress: "unsent" } }).kind).toBe("deliver");
  });

  it("costs the throttle nothing (R28)", () => {
    const bucket = throttle(10);

    fail(planOf({}, bucket), { outcome: { progress: "unsent" } });

    expect(bucket.tokens).toBe(10);
  });
});
