import { EventEmitter } from "node:events";
import { Metadata, propagate, status } from "@grpc/grpc-js";
import { describe, expect, it, vi } from "vitest";
import { CallLimits, type ParentCall } from "../../src/call/call-limits.js";
import { type CallSettings, callOptions, settingsOf } from "../../src/call/call-settings.js";
import { channelOptionsSchema } from "../../src/call/channel-options.js";
import { MethodPolicies } from "../../src/call/method-policy.js";
import { KnownMethods } from "../../src/call/rpc-kind.js";
import { TurnClock } from "../../src/call/turn-clock.js";
import { ManualClock } from "../support/manual-clock.js";
import { fixedRandom } from "../support/seeded-random.js";

const NOBODY = { cancelFrom: () => {} };

const UNARY = { requestStream: false, responseStream: false };
const WATCH = { requestStream: false, responseStream: true };
const NONE = Number.POSITIVE_INFINITY;

class Parent extends EventEmitter implements ParentCall {
  constructor(private readonly deadline: Date | number) {
    super();
  }
  getDeadline(): Date | number {
    return this.deadline;
  }
}

const policy = new MethodPolicies(
  channelOptionsSchema.parse({ insecure: true, timeoutMs: 30_000 }),
  new KnownMethods(),
  fixedRandom(0.5),
).of("/a.B/C");

interface Given {
  readonly settings?: CallSettings;
  readonly deadline?: Date | number;
  readonly parent?: Parent;
  readonly flags?: number;
}

function limitsOf({ settings, deadline = NONE, parent, flags }: Given, clock = new ManualClock()) {
  const carried = settings === undefined ? deadline : (callOptions(settings).deadline as Date);
  const limits = new CallLimits(new TurnClock(clock), settingsOf(carried), carried, parent ?? null, flags);
  return { clock, limits };
}

describe("the deadline of a call", () => {
  it("is the channel's default for a single response, counted from the moment the call was made", async () => {
    const { clock, limits } = limitsOf({});
    await clock.advance(5);

    limits.begin(policy, UNARY, NOBODY);
    limits.readClock();

    expect(limits.timeLeftMs).toBe(29_995);
    expect(limits.elapsedMs).toBe(5);
  });

  it("is none by default for a stream of responses", () => {
    const { limits } = limitsOf({});

    limits.begin(policy, WATCH, NOBODY);

    expect(limits.timeLeftMs).toBe(NONE);
    expect(limits.isPassed).toBe(false);
  });

  it.each([
    ["a Date", (epoch: number) => new Date(epoch + 700)],
    ["epoch milliseconds", (epoch: number) => epoch + 700],
  ])("is the caller's own where one is given: %s", (_what, deadlineAt) => {
    const clock = new ManualClock();
    const { limits } = limitsOf({ deadline: deadlineAt(clock.epoch()) }, clock);

    limits.begin(policy, UNARY, NOBODY);

    expect(limits.timeLeftMs).toBe(700);
  });

  it("of callOptions({ timeoutMs }) counts anew for each call that uses the same options", async () => {
    const clock = new ManualClock();
    const { deadline } = callOptions({ timeoutMs: 500 });
    await clock.advance(10_000);

    const limits = new CallLimits(
      new TurnClock(clock),
      settingsOf(deadline as Date),
      deadline as Date,
      null,
      undefined,
    );

    expect(limits.timeLeftMs).toBe(500);
  });

  it("of callOptions({ deadline }) is that instant", () => {
    const clock = new ManualClock();

    const { limits } = limitsOf({ settings: { deadline: clock.epoch() + 250 } }, clock);

    expect(limits.timeLeftMs).toBe(250);
  });

  it("is the default where callOptions sets other things only", () => {
    const { limits } = limitsOf({ settings: { idempotent: true } });

    limits.begin(policy, UNARY, NOBODY);

    expect(limits.timeLeftMs).toBe(30_000);
  });

  it("R55: may be months away without ending the call at once", async () => {
    const clock = new ManualClock();
    const { limits } = limitsOf({ deadline: clock.epoch() + 90 * 24 * 3_600_000 }, clock);
    const onTime = vi.fn();
    limits.untilDeadline(onTime);

    await clock.advance(60 * 24 * 3_600_000);

    expect(onTime).not.toHaveBeenCalled();
  });

  it("of a wait without any deadline still keeps the process alive", () => {
    const { clock, limits } = limitsOf({});

    limits.untilDeadline(() => {});

    expect(clock.keepAliveTimers).toBe(1);
  });
});

describe("the parent call", () => {
  it.each([
    [100, 700, 100],
    [700, 100, 100],
    [NONE, 100, 100],
  ])("R48: shortens the deadline, never lengthens it (own %d, parent %d)", (own, parents, expected) => {
    const clock = new ManualClock();
    const parent = new Parent(clock.epoch() + parents);
    const { limits } = limitsOf({ deadline: clock.epoch() + own, parent }, clock);

    limits.begin(policy, UNARY, NOBODY);

    expect(limits.timeLeftMs).toBe(expected);
  });

  it("that is cancelled cancels the call, once", () => {
    const parent = new Parent(NONE);
    const { limits } = limitsOf({ parent });
    const cancel = vi.fn();
    limits.begin(policy, UNARY, { cancelFrom: cancel });

    parent.emit("cancelled");
    limits.release();
    parent.emit("cancelled");

    expect(cancel.mock.calls).toEqual([["Cancelled by parent call"]]);
    expect(parent.listenerCount("cancelled")).toBe(0);
  });

  it.each([
    [propagate.DEADLINE, 100, 0],
    [propagate.CANCELLATION, 30_000, 1],
    [0, 30_000, 0],
    [propagate.DEFAULTS, 100, 1],
    [undefined, 100, 1],
  ])("passes on only what the propagate flags say (%s)", (flags, timeLeftMs, listeners) => {
    const clock = new ManualClock();
    const parent = new Parent(clock.epoch() + 100);
    const { limits } = limitsOf({ parent, ...(flags === undefined ? {} : { flags }) }, clock);

    limits.begin(policy, UNARY, NOBODY);

    expect(limits.timeLeftMs).toBe(timeLeftMs);
    expect(parent.listenerCount("cancelled")).toBe(listeners);
  });
});

describe("the caller's signal", () => {
  it("cancels the call, and is let go of when the call is over", () => {
    const controller = new AbortController();
    const remove = vi.spyOn(controller.signal, "removeEventListener");
    const { limits } = limitsOf({ settings: { signal: controller.signal } });
    const cancel = vi.fn();
    limits.begin(policy, UNARY, { cancelFrom: cancel });

    controller.abort();
    limits.release();

    expect(cancel.mock.calls).toEqual([["The call was aborted by its signal"]]);
    expect(remove).toHaveBeenCalledTimes(1);
  });

  it("is not heard any more after the end of the call", () => {
    const controller = new AbortController();
    const { limits } = limitsOf({ settings: { signal: controller.signal } });
    const cancel = vi.fn();
    limits.begin(policy, UNARY, { cancelFrom: cancel });

    limits.release();
    controller.abort();

    expect(cancel).not.toHaveBeenCalled();
  });
});

describe("an obstacle to sending", () => {
  it("is none for a call with time left", () => {
    expect(limitsOf({}).limits.obstacle(new Metadata(), 8_192)).toBeNull();
  });

  it("R51: is a deadline already past", () => {
    const clock = new ManualClock();
    const { limits } = limitsOf({ deadline: clock.epoch() - 40 }, clock);

    expect(limits.obstacle(new Metadata(), 8_192)).toMatchObject({
      reason: "DEADLINE_EXCEEDED",
      status: { code: status.DEADLINE_EXCEEDED, details: "The deadline passed 40 ms before the call began" },
    });
  });

  it("is a signal aborted before", () => {
    const { limits } = limitsOf({ settings: { signal: AbortSignal.abort() } });

    expect(limits.obstacle(new Metadata(), 8_192)).toMatchObject({
      reason: "CANCELLED",
      status: { code: status.CANCELLED },
    });
  });
});
