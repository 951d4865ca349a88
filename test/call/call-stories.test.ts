import fc from "fast-check";
import { expect, it } from "vitest";
import { NOTHING_LEFT } from "../support/channel-bench.js";
import { PlayedStory, story } from "./call-story.js";

/** Everything that waits to be written is. */
async function flushAll({ bench }: PlayedStory): Promise<void> {
  for (let round = 0; round < 40; round++) {
    for (const attempt of bench.network.calls) attempt.flush();
    await bench.settle();
  }
}

function expectWholeRequests({ bench, call, others, written, isRequestOver }: PlayedStory): void {
  if (call.isOver || others.length > 0) return;
  for (const attempt of bench.network.calls.filter(({ isEnded }) => !isEnded)) {
    expect(attempt.sentTexts).toEqual(written);
    expect(attempt.isHalfClosed).toBe(isRequestOver);
  }
}

it("a call of any kind, whatever happens to it, ends once, sends what was written, and leaves nothing behind", async () => {
  const run = fc.asyncProperty(story, async (plan) => {
    const played = new PlayedStory(plan);
    const { bench, others, written } = played;
    await played.play();
    const { call } = played;
    await bench.settle();
    if (!call.isOver) await flushAll(played);
    expectWholeRequests(played);

    await bench.advance(plan.deadlineMs + 1);
    await flushAll(played);

    for (const { statuses, log } of [call, ...others]) {
      expect(statuses).toHaveLength(1);
      expect(log.at(-1)).toBe("status");
    }
    expect(call.headers.length).toBeLessThanOrEqual(1);
    if (call.messages.length + call.headers.length > 0) expect(call.log[0]).toBe("headers");
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
    expect(new Set(call.flushed).size).toBe(call.flushed.length);
    expect(call.flushed.length).toBeGreaterThanOrEqual(written.length);
    const { started, succeeded, failed } = bench.channel.stats().calls;
    expect([started, succeeded + failed]).toEqual([1 + others.length, 1 + others.length]);
    expect(bench.channel.endpoints().every(({ callsInFlight }) => callsInFlight === 0)).toBe(true);

    await bench.channel.close();
    await bench.advance(60_000);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  await fc.assert(run, { numRuns: 400 });
}, 120_000);
