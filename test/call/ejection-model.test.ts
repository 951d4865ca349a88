import { status as Status } from "@grpc/grpc-js";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { ChannelOptions } from "../../src/call/index.js";
import { A, B, C, ChannelBench } from "../support/channel-bench.js";
import { SeededRandom } from "../support/seeded-random.js";
import { unary } from "../support/test-call.js";

const D = "10.0.0.4:1";
const ENDPOINTS = [A, B, C, D];
const PERCENT = 50;
const MOST_OUT = 2;

/** What a server's application says, and its users' mistakes: no fault of the endpoint (R103). */
const APPLICATION = [
  Status.INVALID_ARGUMENT,
  Status.NOT_FOUND,
  Status.ALREADY_EXISTS,
  Status.FAILED_PRECONDITION,
  Status.OUT_OF_RANGE,
  Status.PERMISSION_DENIED,
  Status.UNAUTHENTICATED,
  Status.UNIMPLEMENTED,
  Status.ABORTED,
  Status.INTERNAL,
  Status.UNKNOWN,
  Status.DATA_LOSS,
  Status.RESOURCE_EXHAUSTED,
  Status.CANCELLED,
];

const OPTIONS: Partial<ChannelOptions> = {
  retry: false,
  breaker: { consecutiveFailures: 2, openMs: 3_000 },
  maxEjectionPercent: PERCENT,
  outlierEjection: {
    intervalMs: 2_000,
    baseEjectionMs: 3_000,
    failurePercentage: { threshold: 30, minimumHosts: 2, requestVolume: 1 },
    successRate: { minimumHosts: 2, requestVolume: 1, stdevFactor: 500 },
  },
};

type Step = readonly [
  action: "application" | "unavailable" | "ok" | "cancel" | "lose" | "wait",
  which: number,
];

function story(actions: readonly Step[0][]): fc.Arbitrary<readonly Step[]> {
  return fc.array(fc.tuple(fc.constantFrom(...actions), fc.nat(99)), {
    minLength: 20,
    maxLength: 40,
    size: "max",
  });
}

/** Takes endpoints out of use as a channel does, over a network that answers as the story has it. */
class Trial {
  readonly bench = new ChannelBench(OPTIONS, { addresses: ENDPOINTS, random: new SeededRandom(5) });

  async run(script: readonly Step[]): Promise<void> {
    await this.bench.ready();
    for (const step of script) {
      await this.#act(step);
      await this.bench.settle();
      const out = this.bench.channel.endpoints().filter(({ breaker, isEjected, state }) => {
        return state === "READY" && (breaker !== "closed" || isEjected);
      });
      expect(out.length).toBeLessThanOrEqual(MOST_OUT);
    }
  }

  get taken(): string[] {
    const types = ["breaker.state", "endpoint.ejected"];
    return this.bench.events.map(({ type }) => type).filter((type) => types.includes(type));
  }

  async #act([action, which]: Step): Promise<void> {
    const { bench } = this;
    if (action === "wait") return bench.advance(which * 50);
    if (action === "lose") return bench.network.dials.filter((dial) => dial.isReady)[which % 4]?.lose();
    const call = unary(bench.channel);
    await bench.settle();
    const attempt = bench.network.calls.at(-1);
    if (attempt === undefined || attempt.isEnded) return;
    if (action === "ok") attempt.ok();
    else if (action === "cancel") call.cancel();
    // One server that is worse than the others is what ejection looks for.
    else if (action === "unavailable") attempt.fail(attempt.peer < C ? Status.UNAVAILABLE : Status.NOT_FOUND);
    else attempt.fail(APPLICATION[which % APPLICATION.length] as Status);
  }
}

it("no answer of an application, and no call that is given up, ever takes an endpoint out of use (R103)", async () => {
  await fc.assert(
    fc.asyncProperty(story(["application", "application", "ok", "cancel", "wait"]), async (script) => {
      const trial = new Trial();

      await trial.run(script);
      await trial.bench.advance(5_000);

      expect(trial.taken).toEqual([]);
      trial.bench.channel.destroy();
    }),
    { numRuns: 60, seed: 21 },
  );
}, 30_000);

it("breakers and ejection together never take out more than the panic floor allows, whatever fails (R96)", async () => {
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(story(["unavailable", "unavailable", "ok", "lose", "wait"]), async (script) => {
      const trial = new Trial();

      await trial.run(script);

      taken += trial.taken.length;
      trial.bench.channel.destroy();
    }),
    { numRuns: 60, seed: 22 },
  );
  expect(taken).toBeGreaterThan(100);
}, 30_000);
