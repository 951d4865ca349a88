import * as grpc from "@grpc/grpc-js";
import fc from "fast-check";
import { breakerInterceptor, callOptions, compose, retryThrottle } from "holdfast";
import { describe, expect, it } from "vitest";
import { settle } from "../../support/manual-clock.js";
import { unaryThrough } from "../plain/fake-below.js";
import {
  CANCELLED,
  DEADLINE_EXCEEDED,
  FakeScene,
  INVALID_ARGUMENT,
  OK,
  serverMetadata,
  UNAVAILABLE,
} from "./fake-scene.js";

const THREE = { maxAttempts: 3, delayMs: 100, throttle: false } as const;

describe("a hedging interceptor", () => {
  it("starts attempts at 0, d and 2d, and no more than maxAttempts (R32)", async () => {
    const scene = FakeScene.hedging(THREE);
    scene.unary();
    const seen = [scene.attempts];
    for (const ms of [99, 1, 99, 1, 60_000]) {
      await scene.clock.advance(ms);
      seen.push(scene.attempts);
    }

    expect(seen).toEqual([1, 1, 2, 2, 3, 3]);
    expect(scene.previousAttempts).toEqual([undefined, "1", "2"]);
    expect(scene.below.calls.map(({ order }) => order)).toEqual(Array(3).fill(["request", "half-close"]));
    expect(scene.messages).toEqual(["attempt 2 after 100 ms", "attempt 3 after 100 ms"]);
  });

  it("leaves each attempt the whole time of the call, because none waits for another", () => {
    const scene = FakeScene.hedging({ ...THREE, delayMs: 0 });
    const deadline = scene.clock.epoch() + 1_000;
    scene.unary({ options: { deadline } });

    const ends = scene.below.calls.map(({ options }) => Number(options.deadline));
    expect(ends).toEqual([deadline, deadline, deadline]);
  });

  it("starts all attempts at once without a delay (R6)", () => {
    const scene = FakeScene.hedging({ ...THREE, delayMs: 0 });
    scene.unary();

    expect(scene.attempts).toBe(3);
  });

  it("lets the first response headers win, and shows nothing of the others (R35, R41)", async () => {
    const scene = FakeScene.hedging(THREE);
    const { told } = scene.unary();
    await scene.clock.advance(100);
    const headers = new grpc.Metadata();
    headers.set("from", "the second");
    scene.attempt(2).headers(headers);
    expect(scene.attempt(1).cancelledWith?.code).toBe(CANCELLED);
    scene.attempt(1).headers();
    scene.attempt(1).answer("from the first");
    await settle();
    scene.attempt(2).answer("from the second");
    scene.attempt(2).end(OK);
    await scene.clock.advance(60_000);

    expect(told.headers.map((metadata) => metadata.get("from"))).toEqual([["the second"]]);
    expect(told.messages).toEqual(["from the second"]);
    expect(told.statuses).toMatchObject([{ code: OK, attempts: [{ attempt: 1, code: CANCELLED }] }]);
    expect(scene.attempts).toBe(2);
    expect(scene.clock.pendingTimers).toBe(0);
    expect(scene.messages.at(-1)).toBe("succeeded on attempt 2");
  });

  it("sends the next attempt at once after a non-fatal failure, the one after it a full delay later (R33)", async () => {
    const scene = FakeScene.hedging(THREE);
    scene.unary();
    await scene.clock.advance(40);
    await scene.fail();
    expect(scene.attempts).toBe(2);
    await scene.clock.advance(99);
    expect(scene.attempts).toBe(2);
    await scene.clock.advance(1);

    expect(scene.attempts).toBe(3);
  });

  it("ends the call with a fatal failure, and cancels the others (R34)", async () => {
    const scene = FakeScene.hedging(THREE);
    const { told } = scene.unary();
    await scene.clock.advance(100);
    await scene.fail(INVALID_ARGUMENT, "no such key");

    expect(told.statuses).toMatchObject([
      { code: INVALID_ARGUMENT, details: "no such key", reason: "REMOTE" },
    ]);
    expect(scene.attempt(1).cancelledWith?.code).toBe(CANCELLED);
    await scene.clock.advance(60_000);
    expect(scene.attempts).toBe(2);
    expect(scene.clock.pendingTimers).toBe(0);
  });

  it("returns the last status when all attempts fail, and never retries after it (R36)", async () => {
    const scene = FakeScene.hedging(THREE);
    const { told } = scene.unary();
    for (let attempt = 1; attempt <= 3; attempt++) await scene.fail(UNAVAILABLE, `down ${attempt}`);
    await scene.clock.advance(60_000);

    expect(scene.attempts).toBe(3);
    expect(told.statuses).toMatchObject([{ details: "down 3", processed: "maybe" }]);
    expect(told.statuses[0]?.["attempts"]).toHaveLength(3);
    expect(scene.messages.at(-1)).toBe("retries exhausted");
  });

  it("sends no more hedges after a negative pushback, but lets those in flight finish (R37)", async () => {
    const scene = FakeScene.hedging(THREE);
    const { told } = scene.unary();
    await scene.clock.advance(100);
    scene
      .attempt(2)
      .end(UNAVAILABLE, "busy", { metadata: serverMetadata({ "grpc-retry-pushback-ms": "-1" }) });
    await scene.clock.advance(10_000);
    expect(scene.attempts).toBe(2);
    scene.attempt(1).answer("done");
    scene.attempt(1).end(OK);

    expect(told.statuses).toMatchObject([{ code: OK }]);
  });

  it("starts the next hedge when the pushback says, and later ones at the delay after it (R37)", async () => {
    const scene = FakeScene.hedging(THREE);
    scene.unary();
    await scene.clock.advance(10);
    await scene.fail(UNAVAILABLE, "busy", { "grpc-retry-pushback-ms": "300" });
    const seen: number[] = [];
    for (const ms of [299, 1, 99, 1]) {
      await scene.clock.advance(ms);
      seen.push(scene.attempts);
    }

    expect(seen).toEqual([1, 2, 2, 3]);
  });

  it("drops a hedge that the throttle refuses, and returns the failure when nothing is in flight (R30)", async () => {
    const throttle = retryThrottle({ maxTokens: 2 });
    const scene = FakeScene.hedging(THREE, { throttle });
    const first = scene.unary();
    await scene.fail(UNAVAILABLE, "down");
    expect(scene.attempts).toBe(1);
    expect(first.told.statuses).toMatchObject([{ details: "down" }]);
    const second = scene.unary();
    await scene.clock.advance(60_000);
    expect(scene.attempts).toBe(2);
    scene.below.last.end(OK);

    expect(second.told.statuses).toMatchObject([{ code: OK }]);
    expect(scene.clock.pendingTimers).toBe(0);
  });

  it("lets calls pass as they are that are not declared idempotent (R40)", async () => {
    const scene = FakeScene.hedging({ ...THREE, idempotent: false, delayMs: 0 });
    scene.unary();
    await scene.clock.advance(1_000);
    expect(scene.attempts).toBe(1);
    scene.unary({ options: callOptions({ idempotent: true }) });

    expect(scene.attempts).toBe(1 + 3);
  });

  it("is turned off, or changed, by the call's own options and the method's (R40)", () => {
    const off = { "test.Service/Off": { hedging: false } } as const;
    const scene = FakeScene.hedging({ ...THREE, delayMs: 0, methods: off });
    scene.unary({ method: "/test.Service/Off" });
    expect(scene.attempts).toBe(1);
    scene.unary({ options: callOptions({ hedging: false }) });
    expect(scene.attempts).toBe(2);
    scene.unary({ options: callOptions({ hedging: { maxAttempts: 20, delayMs: 0 } }) });

    expect(scene.attempts).toBe(2 + 5);
  });

  it("sends what the application writes to every attempt, a new one first what was sent (R38)", async () => {
    const scene = FakeScene.hedging(THREE);
    const { call } = scene.start({ requestStream: true });
    call.sendMessage("a");
    await scene.clock.advance(100);
    call.sendMessage("b");
    call.halfClose();
    await scene.clock.advance(100);

    expect(scene.below.calls.map(({ order }) => order)).toEqual(Array(3).fill(["a", "b", "half-close"]));
  });

  it("goes on with the attempt that got furthest when the request no longer fits (R17)", async () => {
    const scene = FakeScene.hedging({ ...THREE, maxBufferedMessages: 2 });
    scene.below.holdsWrites = true;
    const { call, told } = scene.start({ requestStream: true });
    call.sendMessage("a");
    call.sendMessage("b");
    await scene.clock.advance(100);
    scene.attempt(2).written();
    call.sendMessage("c");
    scene.attempt(2).written();
    await scene.clock.advance(60_000);

    expect(scene.attempts).toBe(2);
    expect(scene.attempt(1).cancelledWith?.code).toBe(CANCELLED);
    expect(scene.attempt(2).sent).toEqual(["a", "b", "c"]);
    scene.attempt(2).end(OK);
    expect(told.statuses).toMatchObject([{ code: OK }]);
  });

  it("ends all attempts and timers when the caller cancels, or the signal does (R20, R53)", async () => {
    for (const how of ["cancel", "signal"]) {
      const scene = FakeScene.hedging(THREE);
      const controller = new AbortController();
      const { call, told } = scene.unary({ options: callOptions({ signal: controller.signal }) });
      await scene.clock.advance(100);
      if (how === "cancel") call.cancelWithStatus(CANCELLED, "enough");
      else controller.abort();
      await settle();

      expect(told.statuses).toMatchObject([{ code: CANCELLED, reason: "CANCELLED", processed: "maybe" }]);
      expect(scene.below.calls.map(({ cancelledWith }) => cancelledWith?.code)).toEqual([
        CANCELLED,
        CANCELLED,
      ]);
      expect(scene.clock.pendingTimers).toBe(0);
    }
  });

  it("ends at the deadline while it waits for a pushback, with the last failure attached (R12, R20)", async () => {
    const scene = FakeScene.hedging({ ...THREE, attemptTimeoutMs: null });
    const { told } = scene.unary({ options: callOptions({ timeoutMs: 500 }) });
    await scene.fail(UNAVAILABLE, "busy", { "grpc-retry-pushback-ms": "10000" });
    await scene.clock.advance(499);
    expect(told.statuses).toEqual([]);
    await scene.clock.advance(1);

    expect(told.statuses).toMatchObject([{ code: DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED" }]);
    expect(told.statuses[0]?.details).toContain("busy");
    expect(scene.clock.pendingTimers).toBe(0);
  });

  it("sends what no longer fits once more at most, when it grew too long between two attempts (R16, R17)", async () => {
    const scene = FakeScene.hedging({ ...THREE, maxBufferedMessages: 2 });
    const { call } = scene.start({ requestStream: true });
    call.sendMessage("a");
    await scene.fail(UNAVAILABLE, "busy", { "grpc-retry-pushback-ms": "300" });
    for (const text of ["b", "c"]) call.sendMessage(text);
    await scene.clock.advance(60_000);

    expect(scene.attempts).toBe(2);
    expect(scene.attempt(2).sent).toEqual(["a", "b", "c"]);
  });

  it("drops an attempt that was due already when the pushback forbids more (R37)", async () => {
    const scene = FakeScene.hedging({ ...THREE, maxAttempts: 5 });
    const { told } = scene.unary();
    await scene.clock.advance(200);
    scene.attempt(1).end(UNAVAILABLE, "down", { metadata: serverMetadata() });
    scene
      .attempt(2)
      .end(UNAVAILABLE, "busy", { metadata: serverMetadata({ "grpc-retry-pushback-ms": "-1" }) });
    await scene.clock.advance(60_000);
    expect(scene.attempts).toBe(3);
    scene.attempt(3).end(OK);

    expect(told.statuses).toMatchObject([{ code: OK }]);
  });

  it("returns the failure when the throttle refuses the attempt that a pushback put off (R30, R37)", async () => {
    const throttle = retryThrottle({ maxTokens: 4 });
    const scene = FakeScene.hedging({ ...THREE, maxAttempts: 2 }, { throttle });
    const { told } = scene.unary();
    await scene.fail(UNAVAILABLE, "busy", { "grpc-retry-pushback-ms": "300" });
    throttle.recordFailure();
    await scene.clock.advance(300);

    expect(scene.attempts).toBe(1);
    expect(told.statuses).toMatchObject([{ code: UNAVAILABLE, details: "busy", reason: "REMOTE" }]);
    expect(scene.messages).toEqual(["retries exhausted"]);
    expect(scene.clock.pendingTimers).toBe(0);
  });

  it("waits for no pushback that comes after the deadline (R12, R20)", async () => {
    const scene = FakeScene.hedging({ ...THREE, attemptTimeoutMs: null, delayMs: 10_000 });
    const { told } = scene.unary({ options: callOptions({ timeoutMs: 500 }) });
    await scene.clock.advance(510);
    await scene.fail(UNAVAILABLE, "busy", { "grpc-retry-pushback-ms": "60000" });

    expect(told.statuses).toMatchObject([{ code: DEADLINE_EXCEEDED }]);
    expect(scene.attempts).toBe(1);
    expect(scene.clock.pendingTimers).toBe(0);
  });

  it("hedges by the live p95 of the method's own answers once there are enough (R32)", async () => {
    const scene = FakeScene.hedging({ throttle: false, initialDelayMs: 1_000 });
    const answerAfter = async (ms: number, method: string): Promise<void> => {
      scene.unary({ method });
      await scene.clock.advance(ms);
      scene.below.last.answer("done");
      scene.below.last.end(OK);
    };
    for (let call = 0; call < 20; call++) await answerAfter(20, "/test.Service/Fast");
    const before = scene.attempts;
    scene.unary({ method: "/test.Service/Fast" });
    await scene.clock.advance(20);
    expect(scene.attempts).toBe(before + 2);
    scene.unary({ method: "/test.Service/Other" });
    await scene.clock.advance(999);

    expect(scene.attempts).toBe(before + 3);
  });

  it("lets a cancelled loser count for nothing at the breaker below (R41)", async () => {
    const scene = FakeScene.hedging(THREE);
    const breaker = breakerInterceptor({ consecutiveFailures: 1 }, { clock: scene.clock });
    const chain = compose(scene.interceptor, breaker);
    const { told } = unaryThrough(chain, scene.below);
    await scene.clock.advance(100);
    scene.attempt(2).end(OK);
    await settle();

    expect(told.statuses).toMatchObject([{ code: OK }]);
    expect(scene.attempt(1).cancelledWith?.code).toBe(CANCELLED);
    expect(breaker.state()).toBe("closed");
  });

  it("tells exactly one status, whatever order timer, answers, failures and cancel come in (R39)", async () => {
    const step = fc.oneof(
      fc.constantFrom("tick", "wait", "cancel"),
      fc.tuple(fc.constantFrom("headers", "ok", "down", "fatal", "stop"), fc.nat({ max: 2 })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const scene = FakeScene.hedging({ ...THREE, attemptTimeoutMs: null });
        const { call, told } = scene.unary({ options: { deadline: scene.clock.epoch() + 10_000 } });
        for (const one of steps) {
          if (one === "tick") await scene.clock.advance(1);
          else if (one === "wait") await scene.clock.advance(100);
          else if (one === "cancel") call.cancelWithStatus(CANCELLED, "enough");
          else play(scene, one[0], one[1]);
        }
        // Past the deadline, which ends what is still in flight.
        await scene.clock.advance(20_000);
        for (const open of scene.below.calls) open.end(DEADLINE_EXCEEDED, "Deadline exceeded after 10s");
        await scene.clock.advance(60_000);

        expect(told.statuses).toHaveLength(1);
        expect(told.headers.length).toBeLessThanOrEqual(1);
        expect(scene.attempts).toBeLessThanOrEqual(3);
        expect(scene.clock.pendingTimers).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});

function play(scene: FakeScene, what: string, index: number): void {
  const attempt = scene.below.calls[index];
  if (attempt === undefined) return;
  if (what === "headers") attempt.headers();
  if (what === "ok") attempt.end(OK);
  if (what === "down") attempt.end(UNAVAILABLE, "down", { metadata: serverMetadata() });
  if (what === "fatal") attempt.end(INVALID_ARGUMENT, "no", { metadata: serverMetadata() });
  if (what === "stop") {
    attempt.end(UNAVAILABLE, "no", { metadata: serverMetadata({ "grpc-retry-pushback-ms": "-1" }) });
  }
}
