import type { Ask, IndexedAnswer } from "../../../src/discovery/consul/blocking-query.js";
import { BlockingQuery } from "../../../src/discovery/consul/blocking-query.js";
import { ManualClock } from "../../support/manual-clock.js";
import { fixedRandom } from "../../support/seeded-random.js";

type Reply = IndexedAnswer<string> | Error;

interface Question {
  readonly index: bigint | null;
  readonly atMs: number;
  readonly signal: AbortSignal;
}

/** A blocking query against a server under the test's control, which tells what came of it. */
export class ScriptedQuestion {
  readonly clock = new ManualClock();
  readonly asked: Question[] = [];
  readonly answers: string[] = [];
  readonly failures: string[] = [];
  readonly query: BlockingQuery<string>;
  #always: Reply | null = null;
  #settle: (reply: Reply) => void = () => {};

  /** @param roll the dice of the backoff: 0.5 for no jitter */
  constructor(minIntervalMs = 1_000, roll = 0.5) {
    const listener = {
      onAnswer: (value: string) => void this.answers.push(value),
      onFailure: (error: Error) => void this.failures.push(error.message),
    };
    const deps = { clock: this.clock, random: fixedRandom(roll) };
    this.query = new BlockingQuery(this.#ask, listener, deps, { minIntervalMs });
  }

  /** Every question is answered so at once. */
  always(reply: Reply): this {
    this.#always = reply;
    return this;
  }

  /** Answers the question that is out, after some time. */
  async reply(reply: Reply, afterMs = 0): Promise<void> {
    await this.clock.advance(afterMs);
    this.#settle(reply);
    await this.clock.advance(0);
  }

  get indices(): (bigint | null)[] {
    return this.asked.map(({ index }) => index);
  }

  /** Time between the beginnings of one question and the next. */
  get gapsMs(): number[] {
    return this.asked.slice(1).map(({ atMs }, place) => atMs - (this.asked[place]?.atMs ?? 0));
  }

  readonly #ask: Ask<string> = (index, signal) => {
    this.asked.push({ index, signal, atMs: this.clock.now() });
    if (this.#always instanceof Error) return Promise.reject(this.#always);
    if (this.#always !== null) return Promise.resolve(this.#always);
    return new Promise((resolve, reject) => {
      this.#settle = (reply) => (reply instanceof Error ? reject(reply) : resolve(reply));
    });
  };
}

export function answer(index: bigint | null, value = "set"): IndexedAnswer<string> {
  return { index, value };
}
