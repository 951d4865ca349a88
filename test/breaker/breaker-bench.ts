import { Breaker } from "../../src/breaker/breaker.js";
import { type BreakerOptions, breakerOptionsSchema } from "../../src/breaker/breaker-options.js";
import type { BreakerStateWord } from "../../src/core/index.js";
import { ManualClock } from "../support/manual-clock.js";
import { fixedRandom } from "../support/seeded-random.js";

/** A breaker with its surroundings: a clock, a floor that can be switched, and the changes it told of. */
export class BreakerBench {
  readonly clock = new ManualClock();
  readonly changes: [from: BreakerStateWord, to: BreakerStateWord, retryInMs: number | undefined][] = [];
  readonly breaker: Breaker;
  mayOpen = true;

  constructor(options: BreakerOptions = {}, roll = 0.5) {
    this.breaker = new Breaker(breakerOptionsSchema.parse(options), {
      clock: this.clock,
      random: fixedRandom(roll),
      mayOpen: () => this.mayOpen,
      onChange: (from, to, retryInMs) => this.changes.push([from, to, retryInMs]),
    });
  }

  /** Attempts, one after the other, that fail. */
  fail(times: number): void {
    for (let n = 0; n < times; n++) this.breaker.fail(this.breaker.acquire());
  }

  /** Milliseconds until a probe is let through. */
  get retryInMs(): number | null {
    const { retryAt } = this.breaker;
    return retryAt === null ? null : retryAt - this.clock.now();
  }

  /** Waits until a probe may go, and takes it. */
  async takeProbe(): Promise<boolean> {
    await this.clock.advance(this.retryInMs ?? 0);
    return this.breaker.acquire();
  }
}

/** Opened just now by the default five failures. */
export function opened(options: BreakerOptions = {}, roll = 0.5): BreakerBench {
  const bench = new BreakerBench(options, roll);
  bench.fail(options.consecutiveFailures ?? 5);
  return bench;
}
