import * as grpc from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { settle } from "../../support/manual-clock.js";
import {
  CANCELLED,
  DEADLINE_EXCEEDED,
  definitionOf,
  FakeScene,
  IDEMPOTENT,
  UNAVAILABLE,
} from "./fake-scene.js";

describe("a retry interceptor's waits", () => {
  it("ends a call that is cancelled in the backoff at once, and never sends it again (R20, R53)", async () => {
    const scene = FakeScene.retry(IDEMPOTENT);
    const { call, told } = scene.unary();
    await scene.fail();
    call.cancelWithStatus(CANCELLED, "enough");
    await settle();
    expect(told.statuses).toMatchObject([{ code: CANCELLED, reason: "CANCELLED", processed: "maybe" }]);
    expect(told.statuses[0]?.details).toContain("enough");
    await scene.clock.advance(60_000);

    expect(scene.attempts).toBe(1);
    expect(told.statuses).toHaveLength(1);
    expect(scene.clock.pendingTimers).toBe(0);
  });

  it("hears the signal in the backoff and in an attempt, and leaves no listener on it (R20, R53)", async () => {
    const scene = FakeScene.retry(IDEMPOTENT);
    for (const isInBackoff of [true, false]) {
      const { signal, abort } = countedSignal();
      const before = scene.attempts;
      const { told } = scene.unary({ options: callOptions({ signal }) });
      expect(signal.listeners).toBe(1);
      if (isInBackoff) await scene.fail();
      abort();
      await settle();

      expect(told.statuses).toMatchObject([{ code: CANCELLED, reason: "CANCELLED" }]);
      expect(scene.attempts).toBe(before + 1);
      if (!isInBackoff) expect(scene.below.last.cancelledWith?.code).toBe(CANCELLED);
      expect(signal.listeners).toBe(0);
    }
    await scene.clock.advance(60_000);
    expect(scene.attempts).toBe(2);
  });

  it("sends nothing for a call that was aborted, cancelled or overdue before it began (R51)", async () => {
    const scene = FakeScene.retry(IDEMPOTENT);
    const aborted = scene.unary({ options: callOptions({ signal: AbortSignal.abort() }) });
    const overdue = scene.unary({ options: { deadline: scene.clock.epoch() - 5 } });
    const early = scene.interceptor({ method_definition: definitionOf("/a.B/C") }, scene.below.nextCall);
    const statuses: grpc.StatusObject[] = [];
    early.cancelWithStatus(CANCELLED, "early");
    early.start(new grpc.Metadata(), { onReceiveStatus: (status) => void statuses.push(status) });
    await settle();

    expect(scene.attempts).toBe(0);
    expect(aborted.told.statuses).toMatchObject([{ code: CANCELLED, processed: "no" }]);
    expect(overdue.told.statuses).toMatchObject([{ code: DEADLINE_EXCEEDED, processed: "no", attempts: [] }]);
    expect(statuses).toMatchObject([{ code: CANCELLED, processed: "no" }]);
    expect(scene.clock.pendingTimers).toBe(0);
  });

  it("ends the call at its deadline in a backoff, with the last failure attached (E44, R12)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, backoff: { initialMs: 1_000 }, attemptTimeoutMs: null });
    const { told } = scene.unary({ options: { deadline: scene.clock.epoch() + 500 } });
    await scene.clock.advance(100);
    await scene.fail(UNAVAILABLE, "the disk is full", { why: "disk" });
    await scene.clock.advance(399);
    expect(told.statuses).toEqual([]);
    await scene.clock.advance(1);

    expect(told.statuses).toMatchObject([
      { code: DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED", processed: "maybe", attempts: [{ ms: 100 }] },
    ]);
    expect(told.statuses[0]?.details).toContain("the disk is full");
    expect(told.statuses[0]?.metadata.get("why")).toEqual(["disk"]);
    await scene.clock.advance(60_000);
    expect(scene.attempts).toBe(1);
    expect(scene.clock.pendingTimers).toBe(0);
  });

  it("ends the call at once when an attempt fails after the deadline, instead of waiting for a retry (R12)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, attemptTimeoutMs: null });
    const { told } = scene.unary({ options: { deadline: scene.clock.epoch() + 500 } });
    await scene.clock.advance(510);
    await scene.fail();

    expect(told.statuses).toMatchObject([{ code: DEADLINE_EXCEEDED }]);
    expect(scene.clock.pendingTimers).toBe(0);
  });

  it("makes no retry when the machine slept past the deadline in the backoff (R12)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, attemptTimeoutMs: null });
    const { told } = scene.unary({ options: { deadline: scene.clock.epoch() + 500 } });
    await scene.fail();
    const awake = scene.clock.epoch.bind(scene.clock);
    scene.clock.epoch = () => awake() + 3_600_000;
    await scene.clock.advance(100);

    expect(scene.attempts).toBe(1);
    expect(told.statuses).toMatchObject([{ code: DEADLINE_EXCEEDED }]);
    expect(scene.clock.pendingTimers).toBe(0);
  });

  it("gives every attempt the one deadline, within it a limit of its own (R12, R54)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, attemptTimeoutMs: 200, backoff: { kind: "fixed" } });
    const start = scene.clock.epoch();
    const { told } = scene.unary({ options: callOptions({ timeoutMs: 450 }) });
    await scene.clock.advance(200);
    scene.below.last.end(DEADLINE_EXCEEDED, "Deadline exceeded after 0.200s,remote_addr=10.0.0.1:50051");
    await scene.clock.advance(100);
    const limits = scene.below.calls.map(({ options }) => Number(options.deadline) - start);
    expect(limits).toEqual([200, 450]);
    await scene.clock.advance(150);
    scene.below.last.end(DEADLINE_EXCEEDED, "Deadline exceeded after 0.150s,remote_addr=10.0.0.1:50051");
    await scene.clock.advance(60_000);

    expect(scene.attempts).toBe(2);
    expect(told.statuses).toMatchObject([
      { code: DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED", attempts: [{ reason: "ATTEMPT_TIMEOUT" }, {}] },
    ]);
  });

  it.each([
    { kind: "idempotent unary", idempotent: true, requestStream: false, timeoutMs: 900, limit: 300 },
    {
      kind: "long idempotent unary",
      idempotent: true,
      requestStream: false,
      timeoutMs: 60_000,
      limit: 5_000,
    },
    { kind: "other unary", idempotent: false, requestStream: false, timeoutMs: 900, limit: 900 },
    { kind: "client-streaming", idempotent: true, requestStream: true, timeoutMs: 900, limit: 900 },
  ])("by itself limits an attempt of a call of $timeoutMs ms to $limit ms: $kind (R54)", (row) => {
    const { idempotent, requestStream, timeoutMs, limit } = row;
    const scene = FakeScene.retry({ idempotent });
    scene.start({ requestStream, options: callOptions({ timeoutMs }) });

    expect(Number(scene.below.last.options.deadline) - scene.clock.epoch()).toBe(limit);
  });

  it("sets no limit of its own on a call without a deadline (R48)", () => {
    const scene = FakeScene.retry({ idempotent: true });
    scene.unary();

    expect(scene.below.last.options.deadline).toBeUndefined();
  });

  it("repeats an attempt that an interceptor below let wait until its limit (R54)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, attemptTimeoutMs: 200, backoff: { kind: "immediate" } });
    scene.unary({ options: callOptions({ timeoutMs: 10_000 }) });
    await scene.clock.advance(200);
    const report = { reason: "DEADLINE_EXCEEDED", origin: "local", processed: "no", attempts: [] };
    scene.below.last.end(DEADLINE_EXCEEDED, "Deadline exceeded while waiting for a place", report);
    await scene.clock.advance(0);

    expect(scene.attempts).toBe(2);
  });

  it("goes on only with what the breaker below lets through, and keeps when it will (R21)", async () => {
    const scene = FakeScene.retry(IDEMPOTENT);
    const { told } = scene.unary();
    const retryAt = new Date(0);
    const report = { reason: "CIRCUIT_OPEN", origin: "local", processed: "no", attempts: [], retryAt };
    scene.below.last.end(UNAVAILABLE, "The circuit breaker is open", report);
    await scene.clock.advance(60_000);

    expect(scene.attempts).toBe(1);
    expect(told.statuses).toMatchObject([{ reason: "CIRCUIT_OPEN", processed: "no", retryAt }]);
  });
});

function countedSignal(): { readonly signal: AbortSignal & { readonly listeners: number }; abort(): void } {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--;
    remove(...args);
  };
  Object.defineProperty(signal, "listeners", { get: () => listeners });
  return { signal: signal as AbortSignal & { readonly listeners: number }, abort: () => controller.abort() };
}
