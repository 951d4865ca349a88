import { status } from "@grpc/grpc-js";
import fc from "fast-check";
import { expect, it } from "vitest";
import { callOptions } from "../../src/call/index.js";
import { A, B, C, ChannelBench, NOTHING_LEFT } from "../support/channel-bench.js";
import type { FakeCall } from "../support/fake-call.js";
import { SeededRandom } from "../support/seeded-random.js";
import { bidi, type TestCall, unary } from "../support/test-call.js";

const MAX_STREAMS = 2;

type Step = readonly [action: (typeof ACTIONS)[number], which: number];
const ACTIONS = [
  "call",
  "call",
  "idempotent call",
  "patient call",
  "stream",
  "answer",
  "answer",
  "fail",
  "refuse",
  "cancel",
  "lose",
  "goaway",
  "plan refuse",
  "plan hang",
  "plan ready",
  "endpoints",
  "reset backoff",
  "wait 5",
  "wait 1200",
  "wait 11000",
] as const;

const steps = fc.array(fc.tuple(fc.constantFrom(...ACTIONS), fc.nat(11)), { minLength: 5, maxLength: 40 });

/** A channel in a storm: many calls, dying connections, changing endpoints. */
class Storm {
  readonly bench = new ChannelBench(
    {
      maxStreamsPerConnection: MAX_STREAMS,
      attemptTimeoutMs: 400,
      idleTimeoutMs: 5_000,
      breaker: { consecutiveFailures: 2 },
    },
    { addresses: [A, B], random: new SeededRandom(3) },
  );
  readonly calls: TestCall[] = [];

  async run(script: readonly Step[]): Promise<void> {
    for (const [action, which] of script) {
      await this.#act(action, which);
      await this.bench.settle();
      for (const { calls } of this.bench.network.dials) {
        expect(calls.filter(({ isEnded }) => !isEnded).length).toBeLessThanOrEqual(MAX_STREAMS);
      }
    }
  }

  #act(action: Step[0], which: number): Promise<void> | void {
    const { bench } = this;
    const { channel, network } = bench;
    const address = [A, B, C][which % 3] as string;
    switch (action) {
      case "call":
        return this.#add(unary(channel));
      case "idempotent call":
        return this.#add(unary(channel, { deadline: callOptions({ idempotent: true }).deadline as Date }));
      case "patient call":
        return this.#add(
          unary(channel, {
            deadline: callOptions({ waitForReady: true, timeoutMs: 20_000 }).deadline as Date,
          }),
        );
      case "stream":
        return this.#add(bidi(channel).write("x"));
      case "answer":
        return this.#attempt(which)?.ok();
      case "fail":
        return this.#attempt(which)?.fail(status.UNAVAILABLE);
      case "refuse":
        return this.#attempt(which)?.refuse();
      case "cancel":
        return void this.calls[which % Math.max(1, this.calls.length)]?.cancel();
      case "lose":
        return network.dials[network.dials.length - 1 - (which % 3)]?.lose();
      case "goaway":
        return network.dials.filter((dial) => dial.isReady)[which % 2]?.goaway();
      case "plan refuse":
        return network.plan(address, "refuse");
      case "plan hang":
        return network.plan(address, "hang");
      case "plan ready":
        return network.plan(address, "ready");
      case "endpoints":
        return channel.updateEndpoints([[A], [B, C], [A, B, C], [C]][which % 4] as string[]);
      case "reset backoff":
        return channel.resetBackoff();
      case "wait 5":
        return bench.advance(5);
      case "wait 1200":
        return bench.advance(1_200);
      case "wait 11000":
        return bench.advance(11_000);
    }
  }

  #add(call: TestCall): void {
    this.calls.push(call);
  }

  /** One of the attempts that run and have nothing of an answer yet. */
  #attempt(which: number): FakeCall | undefined {
    const running = this.bench.network.calls.filter((call) => !call.isEnded && !call.hasHeaders);
    return running[which % Math.max(1, running.length)];
  }
}

it("in any storm every call ends exactly once, no connection carries too many, and a close leaves nothing", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const storm = new Storm();
      const { bench, calls } = storm;

      await storm.run(script);
      const closing = bench.channel.close({ drainMs: 1_000 });
      await bench.advance(1_000);
      await closing;
      await bench.advance(60_000);

      expect(calls.map((call) => call.statuses.length)).toEqual(calls.map(() => 1));
      const { started, succeeded, failed } = bench.channel.stats().calls;
      expect([started, succeeded + failed]).toEqual([calls.length, calls.length]);
      expect(bench.leftovers).toEqual(NOTHING_LEFT);
      expect(bench.clock.pendingTimers).toBe(0);
      expect(bench.network.dials.filter((dial) => !dial.socket.destroyed)).toEqual([]);
    }),
    { numRuns: 250, seed: 11 },
  );
}, 60_000);

it("after any storm the channel heals: once endpoints are back, a call goes through", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const storm = new Storm();
      const { bench } = storm;
      await storm.run(script);
      for (const address of [A, B, C]) bench.network.plan(address, "ready");
      for (const attempt of bench.network.calls) if (!attempt.isEnded) attempt.ok();
      for (const call of storm.calls) call.flow();
      for (const call of storm.calls) call.cancel();

      await bench.advance(80_000);
      const call = await bench.unary();
      await bench.advance(100);
      bench.network.current.ok();
      await bench.settle();

      expect(call.status.code).toBe(status.OK);
    }),
    { numRuns: 250, seed: 12 },
  );
}, 60_000);
