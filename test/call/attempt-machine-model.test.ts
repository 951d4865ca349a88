import { status } from "@grpc/grpc-js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChannelOptions } from "../../src/call/index.js";
import { A, B, ChannelBench, IDEMPOTENT, NOTHING_LEFT } from "../support/channel-bench.js";
import { SeededRandom } from "../support/seeded-random.js";
import { bidi, clientStream, serverStream, type TestCall, unary } from "../support/test-call.js";

const kinds = { unary, clientStream, serverStream, bidi };

/** Everything that can happen to a call, from all sides. */
const STEPS = [
  "headers",
  "message",
  "ok",
  "unavailable",
  "not found",
  "pushback",
  "refused stream",
  "unsent",
  "lose connection",
  "goaway",
  "cancel",
  "write",
  "end",
  "read",
  "wait 10",
  "wait 400",
  "wait 3000",
] as const;

const plan = fc.record({
  kind: fc.constantFrom(...(Object.keys(kinds) as (keyof typeof kinds)[])),
  isIdempotent: fc.boolean(),
  attempts: fc.integer({ min: 1, max: 5 }),
  deadlineMs: fc.constantFrom(1, 250, 5_000, 60_000),
  buffer: fc.constantFrom(0, 6, 1_000),
  dials: fc.array(fc.constantFrom("ready", "refuse", "hang", "silent"), { minLength: 1, maxLength: 4 }),
  settles: fc.boolean(),
  steps: fc.array(fc.constantFrom(...STEPS), { maxLength: 14 }),
});

type Plan = typeof plan extends fc.Arbitrary<infer P> ? P : never;

function benchOf({ isIdempotent, attempts, buffer, dials }: Plan): ChannelBench {
  const options: Partial<ChannelOptions> = {
    ...(isIdempotent ? IDEMPOTENT : {}),
    retry: { maxAttempts: attempts, perCallBufferBytes: buffer },
    attemptTimeoutMs: 300,
    timeoutMs: 60_000,
  };
  const bench = new ChannelBench(options, { addresses: [A, B], random: new SeededRandom(7) });
  bench.network.plan(A, ...dials);
  return bench;
}

function act(step: (typeof STEPS)[number], bench: ChannelBench, call: TestCall): Promise<void> | void {
  const attempt = bench.network.calls.at(-1);
  switch (step) {
    case "headers":
      return attempt?.headers();
    case "message":
      return attempt?.message("m");
    case "ok":
      return attempt?.ok();
    case "unavailable":
      return attempt?.fail(status.UNAVAILABLE);
    case "not found":
      return attempt?.fail(status.NOT_FOUND);
    case "pushback":
      return attempt?.fail(status.UNAVAILABLE, "busy", { "grpc-retry-pushback-ms": "5" });
    case "refused stream":
      return attempt?.hasHeaders === false ? attempt.refuse() : undefined;
    case "unsent":
      return attempt?.hasHeaders === false ? attempt.neverSend() : undefined;
    case "lose connection":
      return bench.network.dials.at(-1)?.lose();
    case "goaway":
      return bench.network.dials.find((dial) => dial.isReady)?.goaway();
    case "cancel":
      return void call.cancel();
    case "write":
      return void call.write("more");
    case "end":
      return void call.end();
    case "read":
      return void call.flow();
    case "wait 10":
      return bench.advance(10);
    case "wait 400":
      return bench.advance(400);
    case "wait 3000":
      return bench.advance(3_000);
  }
}

async function run(given: Plan): Promise<{ bench: ChannelBench; call: TestCall; written: number }> {
  const bench = benchOf(given);
  const call = kinds[given.kind](bench.channel, { deadline: bench.clock.epoch() + given.deadlineMs });
  let written = given.kind === "unary" || given.kind === "serverStream" ? 1 : 0;
  for (const step of given.steps) {
    if (step === "write") written++;
    await act(step, bench, call);
    if (given.settles) await bench.settle();
  }
  await bench.advance(given.deadlineMs + 1);
  return { bench, call, written };
}

describe("whatever happens to a call, in whatever order", () => {
  it("its listener gets exactly one status, last of all, by the deadline at the latest", async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (given) => {
        const { call } = await run(given);

        expect(call.statuses).toHaveLength(1);
        expect(call.log.at(-1)).toBe("status");
        expect(call.headers.length).toBeLessThanOrEqual(1);
        if (call.messages.length > 0 || call.headers.length > 0) expect(call.log[0]).toBe("headers");
      }),
      { numRuns: 400, seed: 1 },
    );
  }, 60_000);

  it("every writer is called back once, and nothing is left: no buffer, no queue, no timer, no attempt", async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (given) => {
        const { bench, call, written } = await run(given);

        expect(call.flushed).toHaveLength(written);
        expect(bench.leftovers).toEqual(NOTHING_LEFT);
        await bench.channel.close();
        await bench.advance(60_000);
        expect(bench.clock.pendingTimers).toBe(0);
        expect(bench.network.dials.filter((dial) => !dial.socket.destroyed)).toEqual([]);
      }),
      { numRuns: 300, seed: 2 },
    );
  }, 60_000);

  it("the counters add up, and no method that is not idempotent runs twice", async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (given) => {
        const { bench, call } = await run(given);

        const { started, succeeded, failed } = bench.channel.stats().calls;
        expect([started, succeeded + failed]).toEqual([1, 1]);
        expect(succeeded).toBe(call.status.code === status.OK ? 1 : 0);
        const reached = bench.network.calls.filter(
          ({ isRefused, isStreamOpened }) => isStreamOpened && !isRefused,
        );
        if (!given.isIdempotent) expect(reached.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 300, seed: 3 },
    );
  }, 60_000);

  it("what was sent on each attempt is a beginning of what was written, each message once", async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (given) => {
        const { bench, written } = await run(given);

        for (const attempt of bench.network.calls) {
          expect(attempt.sent.length).toBeLessThanOrEqual(written);
          const first = given.kind === "unary" || given.kind === "serverStream" ? ["hello"] : [];
          const expected = [...first, ...Array(written - first.length).fill("more")];
          expect(attempt.sentTexts).toEqual(expected.slice(0, attempt.sent.length));
        }
      }),
      { numRuns: 300, seed: 4 },
    );
  }, 60_000);
});
