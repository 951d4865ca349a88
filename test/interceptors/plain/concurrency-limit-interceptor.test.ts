import { AsyncLocalStorage } from "node:async_hooks";
import * as grpc from "@grpc/grpc-js";
import { type ConcurrencyLimitOptions, concurrencyLimitInterceptor } from "holdfast";
import { describe, expect, it } from "vitest";
import { ManualClock, settle } from "../../support/manual-clock.js";
import { FakeTransport, type StartArgs, unaryThrough } from "./fake-below.js";

const { status } = grpc;

class LimitStage {
  readonly clock = new ManualClock();
  readonly transport = new FakeTransport();
  readonly interceptor;

  constructor(options: ConcurrencyLimitOptions) {
    this.interceptor = concurrencyLimitInterceptor(options, { clock: this.clock });
  }

  start(args: StartArgs = {}) {
    return unaryThrough(this.interceptor, this.transport, args);
  }
}

describe("the concurrency limit interceptor", () => {
  it("runs as many calls as it may, and the next one as soon as one ends", async () => {
    const stage = new LimitStage({ maxConcurrentCalls: 2 });
    for (let call = 0; call < 3; call++) stage.start();
    expect(stage.transport.calls).toHaveLength(2);
    expect(stage.interceptor.stats()).toEqual({ running: 2, queued: 1, refused: 0 });

    stage.transport.calls[0]?.end(status.NOT_FOUND);
    await settle();

    expect(stage.transport.calls).toHaveLength(3);
    expect(stage.transport.last.order).toEqual(["request", "half-close"]);
    expect(stage.interceptor.stats()).toEqual({ running: 2, queued: 0, refused: 0 });
  });

  it("refuses a call with OVERLOADED when the queue is full, and sends nothing", async () => {
    const stage = new LimitStage({ maxConcurrentCalls: 1, maxQueuedCalls: 1 });
    stage.start();
    stage.start();

    const { told } = stage.start();
    await settle();

    expect(told.statuses[0]).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      reason: "OVERLOADED",
      origin: "local",
      processed: "no",
      details: "Too many calls: 1 calls are running and 1 are waiting",
    });
    expect(stage.interceptor.stats()).toEqual({ running: 1, queued: 1, refused: 1 });
  });

  it("lets a call wait no longer than queueTimeoutMs", async () => {
    const stage = new LimitStage({ maxConcurrentCalls: 1, queueTimeoutMs: 100 });
    stage.start();
    const { told } = stage.start();

    await stage.clock.advance(100);

    expect(told.statuses[0]).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      reason: "OVERLOADED",
      details: "Too many calls: the call waited 100 ms for one of 1 running calls to end",
    });
    expect(stage.interceptor.stats()).toMatchObject({ running: 1, queued: 0 });
    expect(stage.clock.pendingTimers).toBe(0);
  });

  it("ends a waiting call at its deadline and gives its place to another", async () => {
    const stage = new LimitStage({ maxConcurrentCalls: 1, maxQueuedCalls: 1, queueTimeoutMs: 1_000 });
    stage.start();
    const { told } = stage.start({ options: { deadline: stage.clock.epoch() + 10 } });

    await stage.clock.advance(10);
    expect(stage.clock.pendingTimers).toBe(0);
    stage.start();

    expect(told.statuses[0]).toMatchObject({ code: status.DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED" });
    expect(stage.interceptor.stats()).toMatchObject({ running: 1, queued: 1, refused: 0 });
  });

  it("never makes a call that was cancelled while it waited", async () => {
    const stage = new LimitStage({ maxConcurrentCalls: 1 });
    stage.start();
    const { call, told } = stage.start();

    call.cancelWithStatus(status.CANCELLED, "never mind");
    stage.transport.last.end(status.OK);
    await settle();

    expect(told.statuses.map(({ code }) => code)).toEqual([status.CANCELLED]);
    expect(stage.transport.calls).toHaveLength(1);
    expect(stage.interceptor.stats()).toMatchObject({ running: 0, queued: 0 });
  });

  it("passes the turn on when a call is cancelled at the moment its turn comes", async () => {
    const stage = new LimitStage({ maxConcurrentCalls: 1 });
    stage.start();
    const { call } = stage.start();
    stage.start();

    stage.transport.last.end(status.OK);
    call.cancelWithStatus(status.CANCELLED, "never mind");
    await settle();

    expect(stage.transport.calls).toHaveLength(2);
    expect(stage.interceptor.stats()).toMatchObject({ running: 1, queued: 0 });
  });

  it("survives ten thousand waiting calls that all fail as they begin", async () => {
    const stage = new LimitStage({ maxConcurrentCalls: 1, maxQueuedCalls: 10_000 });
    stage.start();
    const waiting = Array.from({ length: 10_000 }, () => stage.start());
    stage.transport.error = new Error("Channel has been shut down");

    stage.transport.last.end(status.OK);
    await settle();

    expect(waiting.every(({ told }) => told.statuses.length === 1)).toBe(true);
    expect(stage.interceptor.stats()).toMatchObject({ running: 0, queued: 0 });
  });

  it("begins a waiting call in the async context of its caller", async () => {
    const stage = new LimitStage({ maxConcurrentCalls: 1 });
    const context = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const { nextCall } = stage.transport;
    const watching: grpc.NextCall = (options) => {
      seen.push(context.getStore());
      return nextCall(options);
    };
    Object.assign(stage.transport, { nextCall: watching });
    context.run("first", () => stage.start());
    context.run("second", () => stage.start());

    context.run("first", () => stage.transport.last.end(status.OK));
    await settle();

    expect(seen).toEqual(["first", "second"]);
  });
});
