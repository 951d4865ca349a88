import { status } from "@grpc/grpc-js";
import fc from "fast-check";
import { callOptions } from "../../src/call/index.js";
import { A, B, C, ChannelBench, IDEMPOTENT } from "../support/channel-bench.js";
import { SeededRandom } from "../support/seeded-random.js";
import { bidi, clientStream, serverStream, type TestCall, unary } from "../support/test-call.js";

const kinds = { unary, clientStream, serverStream, bidi };
const LARGE = "x".repeat(70_000);

const SERVERS_STEPS = ["headers", "message", "ok", "unavailable", "not found", "pushback", "stop"] as const;
const NETWORKS_STEPS = ["refused", "unsent", "lose", "goaway", "flush", "flush", "unavailable"] as const;
const CALLERS_STEPS = [
  "write",
  "write",
  "end",
  "read",
  "cancel",
  "abort",
  "second",
  "close",
  "destroy",
] as const;
const WAITS = ["settle", "wait 10", "wait 60", "wait 400"] as const;

type Word =
  | (typeof SERVERS_STEPS)[number]
  | (typeof NETWORKS_STEPS)[number]
  | (typeof CALLERS_STEPS)[number]
  | (typeof WAITS)[number];

/** What happens to one call, and how its channel is set up. */
export const story = fc.record({
  kind: fc.constantFrom(...(Object.keys(kinds) as (keyof typeof kinds)[])),
  hedgeDelayMs: fc.constantFrom(null, 0, 50),
  isIdempotent: fc.boolean(),
  isLarge: fc.boolean(),
  holdsWrites: fc.boolean(),
  hasSignal: fc.boolean(),
  isWarm: fc.boolean(),
  addresses: fc.constantFrom([A], [A, B], [A, B, C]),
  deadlineMs: fc.constantFrom(1, 250, 5_000),
  bufferBytes: fc.constantFrom(0, 6, 1_000),
  firstResponseMs: fc.constantFrom(null, 30),
  idleMs: fc.constantFrom(null, 40),
  streams: fc.constantFrom(1, 100),
  dials: fc.array(fc.constantFrom("ready", "refuse", "hang", "silent"), { minLength: 1, maxLength: 4 }),
  steps: fc.array(
    fc.record({
      word: fc.constantFrom<Word>(...SERVERS_STEPS, ...NETWORKS_STEPS, ...CALLERS_STEPS, ...WAITS),
      at: fc.nat(4),
    }),
    { maxLength: 25 },
  ),
});
export type Story = typeof story extends fc.Arbitrary<infer S> ? S : never;

/** A story as it is played: the call, further calls of it, and what the application wrote. */
export class PlayedStory {
  readonly bench: ChannelBench;
  readonly others: TestCall[] = [];
  readonly written: string[] = [];
  readonly #controller = new AbortController();
  readonly #deadline: Date;
  #call: TestCall | null = null;
  #isRequestOver: boolean;
  #writes = 0;

  constructor(private readonly plan: Story) {
    const { hedgeDelayMs, isIdempotent, bufferBytes, firstResponseMs, idleMs, streams, kind } = plan;
    const hedging = hedgeDelayMs === null ? {} : { hedging: { maxAttempts: 3, delayMs: hedgeDelayMs } };
    this.bench = new ChannelBench(
      {
        ...(isIdempotent || hedgeDelayMs !== null ? IDEMPOTENT : {}),
        ...hedging,
        retry: { maxAttempts: 3, perCallBufferBytes: bufferBytes, throttle: false },
        firstResponseTimeoutMs: firstResponseMs,
        streamIdleTimeoutMs: idleMs,
        maxStreamsPerConnection: streams,
        attemptTimeoutMs: 300,
        timeoutMs: 60_000,
      },
      { addresses: plan.addresses, random: new SeededRandom(7) },
    );
    this.bench.network.plan(A, ...plan.dials);
    this.bench.network.holdsWrites = plan.holdsWrites;
    const signal = plan.hasSignal ? { signal: this.#controller.signal } : {};
    this.#deadline = callOptions({ timeoutMs: plan.deadlineMs, ...signal }).deadline as Date;
    this.#isRequestOver = kind === "unary" || kind === "serverStream";
  }

  get call(): TestCall {
    return this.#call as TestCall;
  }

  get isRequestOver(): boolean {
    return this.#isRequestOver;
  }

  async play(): Promise<void> {
    const { kind, isLarge, isWarm, steps } = this.plan;
    if (isWarm) await this.bench.ready();
    const request = isLarge && kind === "unary" ? LARGE : "hello";
    const options = { deadline: this.#deadline, ...(kind === "unary" ? { request } : {}) };
    this.#call = kinds[kind](this.bench.channel, options);
    if (this.#isRequestOver) this.written.push(request);
    for (const { word, at } of steps) await this.#step(word, at);
  }

  async #step(word: Word, at: number): Promise<void> {
    if (this.#isOfCaller(word)) return;
    const { bench } = this;
    if (word === "settle") return bench.settle();
    if (word.startsWith("wait")) return bench.advance(Number(word.slice(5)));
    if (word === "lose")
      return void bench.network.dials
        .filter(({ isReady }) => isReady)
        .at(at % 3)
        ?.lose();
    if (word === "goaway") return void bench.network.dials.find(({ isReady }) => isReady)?.goaway();
    const { calls } = bench.network;
    const attempt = calls[at % Math.max(calls.length, 1)];
    if (attempt === undefined) return;
    if (word === "headers") attempt.headers();
    else if (word === "message") attempt.message("m");
    else if (word === "ok") attempt.ok();
    else if (word === "unavailable") attempt.fail(status.UNAVAILABLE);
    else if (word === "not found") attempt.fail(status.NOT_FOUND);
    else if (word === "pushback") attempt.fail(status.UNAVAILABLE, "busy", { "grpc-retry-pushback-ms": "5" });
    else if (word === "stop") attempt.fail(status.UNAVAILABLE, "busy", { "grpc-retry-pushback-ms": "-1" });
    else if (word === "flush") attempt.flush();
    else if (attempt.hasHeaders) return;
    else if (word === "refused") attempt.refuse();
    else attempt.neverSend();
  }

  #isOfCaller(word: Word): boolean {
    const { call, bench } = this;
    if (word === "cancel") call.cancel();
    else if (word === "abort") this.#controller.abort();
    else if (word === "close") void bench.channel.close({ drainMs: 0 });
    else if (word === "destroy") bench.channel.destroy();
    else if (word === "second") this.others.push(unary(bench.channel, { deadline: this.#deadline }));
    else if (word === "write") this.#write();
    else if (word === "end") {
      this.#isRequestOver = true;
      call.end();
    } else if (word === "read") {
      if (this.plan.kind === "bidi" || this.plan.kind === "serverStream") call.flow();
    } else return false;
    return true;
  }

  #write(): void {
    if (this.#isRequestOver) return;
    const text = `w${this.#writes++}`;
    if (!this.call.isOver) this.written.push(text);
    this.call.write(text);
  }
}
