import fc from "fast-check";
import { expect, it } from "vitest";
import { Breaker } from "../../src/breaker/breaker.js";
import { breakerOptionsSchema } from "../../src/breaker/breaker-options.js";
import { OutlierDetection } from "../../src/breaker/outlier-detection.js";
import { outlierEjectionOptionsSchema } from "../../src/breaker/outlier-ejection-options.js";
import { PanicFloor } from "../../src/breaker/panic-floor.js";
import { ManualClock } from "../support/manual-clock.js";
import { SeededRandom } from "../support/seeded-random.js";

const SWEEP_MS = 100;
const enforcementPercent = 80;

/** The endpoints of a target as a channel has them: breakers and outlier detection under one panic floor. */
class Target {
  readonly clock = new ManualClock();
  readonly breakers = new Map<string, Breaker>();
  readonly detection: OutlierDetection;
  readonly told: string[] = [];
  readonly #floor: PanicFloor;

  constructor(
    readonly hosts: readonly string[],
    percent: number,
    seed: number,
  ) {
    this.#floor = new PanicFloor(percent);
    const random = new SeededRandom(seed);
    this.detection = new OutlierDetection(
      outlierEjectionOptionsSchema.parse({
        intervalMs: SWEEP_MS,
        baseEjectionMs: 150,
        maxEjectionMs: 400,
        successRate: { minimumHosts: 2, requestVolume: 3, stdevFactor: 1_000, enforcementPercent },
        failurePercentage: { minimumHosts: 1, requestVolume: 3, threshold: 50, enforcementPercent },
      }),
      {
        random,
        startedAt: this.clock.now(),
        mayEject: (address) => this.#mayBeOut(address),
        onEject: (address) => this.told.push(`out ${address}`),
        onSpare: (address) => this.told.push(`spared ${address}`),
        onUneject: (address) => this.told.push(`in ${address}`),
      },
    );
    for (const host of hosts) {
      const options = breakerOptionsSchema.parse({ consecutiveFailures: 4, openMs: 120, maxOpenMs: 240 });
      const mayOpen = () => this.#mayBeOut(host);
      this.breakers.set(
        host,
        new Breaker(options, { clock: this.clock, random, mayOpen, onChange: () => {} }),
      );
    }
  }

  get out(): string[] {
    return this.hosts.filter((host) => this.#isOut(host));
  }

  get ejected(): string[] {
    return this.hosts.filter((host) => this.detection.tallyFor(host).isEjected);
  }

  get maxOut(): number {
    return this.#floor.maxOut(this.hosts.length);
  }

  call(host: string, isSuccess: boolean): void {
    const breaker = this.breakers.get(host)!;
    const isProbe = breaker.acquire();
    if (isSuccess) breaker.succeed(isProbe);
    else breaker.fail(isProbe);
    this.detection.tallyFor(host).count(isSuccess);
  }

  #isOut(host: string): boolean {
    return this.breakers.get(host)!.state !== "closed" || this.detection.tallyFor(host).isEjected;
  }

  #mayBeOut(address: string): boolean {
    const others = this.hosts.filter((host) => host !== address && this.#isOut(host));
    return this.#floor.allows(this.hosts.length, others.length);
  }
}

type Step =
  | { readonly do: "call"; readonly host: number; readonly isSuccess: boolean; readonly times: number }
  | { readonly do: "pass"; readonly ms: number }
  | { readonly do: "forget"; readonly host: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("call" as const),
      host: fc.nat({ max: 20 }),
      isSuccess: fc.boolean(),
      times: fc.integer({ min: 1, max: 6 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 200 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("forget" as const), host: fc.nat({ max: 20 }) }) },
);

it("breakers and ejection together stay within the panic floor, and only a sweep ejects or lets back in (R96, R99, R104)", async () => {
  const seen = { ejections: 0, spared: 0, returns: 0, atTheFloor: 0 };
  const run = async (hosts: number, percent: number, seed: number, steps: readonly Step[]) => {
    const names = Array.from({ length: hosts }, (_, n) => `10.0.0.${n}:1`);
    const target = new Target(names, percent, seed);
    for (const current of steps) {
      const before = target.ejected;
      const told = target.told.length;
      if (current.do === "pass") {
        await target.clock.advance(current.ms);
        const isDue = target.clock.now() >= target.detection.nextSweepAt;
        const isChanged = target.detection.sweep(target.clock.now());
        const changes = target.told.slice(told).filter((line) => !line.startsWith("spared"));
        expect(isChanged).toBe(changes.length > 0);
        if (!isDue) expect(target.told).toHaveLength(told);
        const expected = new Set(before);
        for (const line of changes) {
          const [word, host] = line.split(" ") as [string, string];
          // Nobody goes out who is out, or comes back who is in.
          expect(expected.has(host)).toBe(word === "in");
          if (word === "in") expected.delete(host);
          else expected.add(host);
        }
        expect(new Set(target.ejected)).toEqual(expected);
      } else {
        const host = names[current.host % hosts]!;
        if (current.do === "forget") target.detection.forget(host);
        else for (let n = 0; n < current.times; n++) target.call(host, current.isSuccess);
        expect(target.ejected).toEqual(
          current.do === "forget" ? before.filter((name) => name !== host) : before,
        );
        expect(target.told).toHaveLength(told);
      }
      expect(target.out.length).toBeLessThanOrEqual(target.maxOut);
      for (const name of names) expect(target.detection.tallyFor(name).multiplier).toBeGreaterThanOrEqual(0);
      if (target.out.length === target.maxOut) seen.atTheFloor++;
    }
    seen.ejections += target.told.filter((line) => line.startsWith("out")).length;
    seen.spared += target.told.filter((line) => line.startsWith("spared")).length;
    seen.returns += target.told.filter((line) => line.startsWith("in")).length;
  };

  const sequences = fc.array(step, { minLength: 80, maxLength: 160, size: "max" });
  const percents = fc.constantFrom(0, 10, 34, 50, 100);
  await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 8 }), percents, fc.nat(), sequences, run), {
    numRuns: 150,
  });

  expect(Math.min(...Object.values(seen))).toBeGreaterThan(50);
});
