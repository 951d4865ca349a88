import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConcurrencyLimit, concurrencyLimitOptionsSchema } from "../../src/breaker/index.js";
import { parseOptions } from "../../src/core/index.js";
import { configErrorOf } from "../support/config-error.js";

const named = (name: string) => ({ name });

describe("a concurrency limit", () => {
  it("admits up to its limit, queues up to its bound, and refuses the rest", () => {
    const limit = new ConcurrencyLimit({ maxConcurrentCalls: 2, maxQueuedCalls: 1 });

    const admissions = ["a", "b", "c", "d"].map((name) => limit.enter(named(name)));

    expect(admissions).toEqual(["admitted", "admitted", "queued", "refused"]);
    expect([limit.running, limit.queued, limit.refused]).toEqual([2, 1, 1]);
  });

  it("hands a free place to the call that has waited longest", () => {
    const limit = new ConcurrencyLimit({ maxConcurrentCalls: 1, maxQueuedCalls: 2 });
    const [first, second] = [named("first"), named("second")];
    limit.enter(named("running"));
    limit.enter(first);
    limit.enter(second);

    expect(limit.leave()).toBe(first);
    expect(limit.leave()).toBe(second);
    expect(limit.leave()).toBeNull();
    expect([limit.running, limit.queued]).toEqual([0, 0]);
  });

  it("passes over a call that gave up its place", () => {
    const limit = new ConcurrencyLimit({ maxConcurrentCalls: 1, maxQueuedCalls: 2 });
    const [first, second] = [named("first"), named("second")];
    limit.enter(named("running"));
    limit.enter(first);
    limit.enter(second);

    limit.giveUp(first);

    expect(limit.leave()).toBe(second);
  });

  it("lets none wait when maxQueuedCalls is 0", () => {
    const limit = new ConcurrencyLimit({ maxConcurrentCalls: 1, maxQueuedCalls: 0 });
    limit.enter(named("running"));

    expect(limit.enter(named("next"))).toBe("refused");
  });

  it("never runs or queues more than it may, and loses no call, in any order of events", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 4 }),
        fc.array(fc.constantFrom("enter", "leave", "give up"), { maxLength: 60 }),
        (maxConcurrentCalls, maxQueuedCalls, events) => {
          const limit = new ConcurrencyLimit<object>({ maxConcurrentCalls, maxQueuedCalls });
          let running = 0;
          const queue: object[] = [];
          for (const event of events) {
            if (event === "enter") {
              const call = {};
              const admission = limit.enter(call);
              if (running < maxConcurrentCalls) expect(admission).toBe("admitted");
              else expect(admission).toBe(queue.length < maxQueuedCalls ? "queued" : "refused");
              if (admission === "admitted") running++;
              if (admission === "queued") queue.push(call);
            } else if (event === "leave" && running > 0) {
              const next = queue.shift() ?? null;
              expect(limit.leave()).toBe(next);
              if (next === null) running--;
            } else if (event === "give up" && queue.length > 0) {
              limit.giveUp(queue.pop() as object);
            }
            expect([limit.running, limit.queued]).toEqual([running, queue.length]);
          }
        },
      ),
    );
  });
});

describe("the options of a concurrency limit", () => {
  const parse = (options: object) =>
    parseOptions(concurrencyLimitOptionsSchema, options, "concurrencyLimitInterceptor");

  it("have defaults", () => {
    expect(parse({})).toEqual({ maxConcurrentCalls: 100, maxQueuedCalls: 100, queueTimeoutMs: null });
  });

  it.each([
    [{ maxConcurrentCalls: 0 }, "maxConcurrentCalls is 0; allowed: 1 or more"],
    [{ maxConcurrentCalls: 1.5 }, "maxConcurrentCalls is 1.5"],
    [{ maxQueuedCalls: -1 }, "maxQueuedCalls is -1; allowed: 0 or more"],
    [{ queueTimeoutMs: 0 }, "queueTimeoutMs is 0; allowed: 1 or more"],
    [{ queueTimeoutMS: 5 }, "queueTimeoutMS is not a known key (did you mean queueTimeoutMs?)"],
  ])("refuse %o", (options, sentence) => {
    expect(configErrorOf(() => parse(options)).details).toContain(sentence);
  });
});
