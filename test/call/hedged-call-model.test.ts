import { status } from "@grpc/grpc-js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChannelOptions } from "../../src/call/index.js";
import { A, B, ChannelBench, NOTHING_LEFT } from "../support/channel-bench.js";
import { SeededRandom } from "../support/seeded-random.js";
import { bidi, clientStream, serverStream, type TestCall, unary } from "../support/test-call.js";

const KINDS = { unary, clientStream, serverStream, bidi };
type Inner = ChannelBench["network"]["current"];

/** What becomes of one attempt. What it answers names it. */
const ENDS = {
  headers: (inner: Inner) => inner.headers(),
  message: (inner: Inner, n: number) => inner.message(`of ${n}`),
  ok: (inner: Inner, n: number) => inner.ok(`of ${n}`),
  empty: (inner: Inner) => inner.okTrailers(),
  busy: (inner: Inner) => inner.fail(status.UNAVAILABLE),
  fatal: (inner: Inner) => inner.fail(status.NOT_FOUND),
  late: (inner: Inner) => inner.failAfterHeaders(status.UNAVAILABLE),
  refused: (inner: Inner) => (inner.hasHeaders ? undefined : inner.refuse()),
  stop: (inner: Inner) => inner.fail(status.UNAVAILABLE, "stop", { "grpc-retry-pushback-ms": "-1" }),
  later: (inner: Inner) => inner.fail(status.UNAVAILABLE, "later", { "grpc-retry-pushback-ms": "70" }),
  flush: (inner: Inner) => inner.flush(),
} as const;

type Step =
  | { readonly who: "attempt"; readonly n: number; readonly end: keyof typeof ENDS }
  | { readonly who: "network"; readonly does: "lose" | "goaway"; readonly n: number }
  | { readonly who: "caller"; readonly does: "write" | "end" | "read" | "cancel" }
  | { readonly who: "clock"; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      who: fc.constant("attempt" as const),
      n: fc.nat(3),
      end: fc.constantFrom(...(Object.keys(ENDS) as (keyof typeof ENDS)[])),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      who: fc.constant("network" as const),
      does: fc.constantFrom("lose" as const, "goaway" as const),
      n: fc.nat(3),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      who: fc.constant("caller" as const),
      does: fc.constantFrom("write", "write", "write", "end", "read", "cancel"),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ who: fc.constant("clock" as const), ms: fc.constantFrom(0, 10, 49, 50, 51, 400) }),
  },
);

const story = fc.record({
  kind: fc.constantFrom(...(Object.keys(KINDS) as (keyof typeof KINDS)[])),
  maxAttempts: fc.integer({ min: 2, max: 5 }),
  delayMs: fc.constantFrom(0, 50, "p95" as const),
  deadlineMs: fc.constantFrom(1, 120, 5_000),
  buffer: fc.constantFrom(0, 8, 1_000),
  holdsWrites: fc.boolean(),
  throttle: fc.constantFrom(false as const, { maxTokens: 3, tokenRatio: 0.5 }),
  dials: fc.array(fc.constantFrom("ready", "refuse", "hang"), { minLength: 1, maxLength: 3 }),
  isWarm: fc.boolean(),
  steps: fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { maxLength: 10 }),
});

type Story = typeof story extends fc.Arbitrary<infer S> ? S : never;

interface Told {
  readonly bench: ChannelBench;
  readonly call: TestCall;
  readonly written: readonly string[];
}

function act(what: Step, told: Told & { written: string[] }, kind: Story["kind"]): Promise<void> | void {
  const { bench, call, written } = told;
  if (what.who === "clock") return bench.advance(what.ms);
  if (what.who === "attempt") {
    const inner = bench.network.calls[what.n];
    return inner === undefined ? undefined : ENDS[what.end](inner, what.n);
  }
  if (what.who === "network") {
    const ready = bench.network.dials.filter(({ isReady }) => isReady);
    return ready[what.n % Math.max(1, ready.length)]?.[what.does]();
  }
  if (what.does === "cancel") return void call.cancel();
  if (what.does === "read") return void call.read();
  if (kind === "unary" || kind === "serverStream") return;
  if (what.does === "end") return void call.end();
  written.push(`w${written.length}`);
  call.write(`w${written.length - 1}`);
}

async function tell(given: Story): Promise<Told> {
  const options: Partial<ChannelOptions> = {
    methods: { "test.Echo": { idempotent: true } },
    hedging: { maxAttempts: given.maxAttempts, delayMs: given.delayMs, initialDelayMs: 50 },
    retry: { throttle: given.throttle, perCallBufferBytes: given.buffer },
    breaker: { consecutiveFailures: 2 },
    maxEjectionPercent: 100,
    // The network of these stories answers no Check, which a pause would ask for.
    suspicion: { verifyAfterIdleMs: null },
  };
  const bench = new ChannelBench(options, { addresses: [A, B], random: new SeededRandom(3) });
  bench.network.holdsWrites = given.holdsWrites;
  if (given.isWarm) await bench.ready();
  else bench.network.plan(A, ...given.dials);
  const call = KINDS[given.kind](bench.channel, { deadline: bench.clock.epoch() + given.deadlineMs });
  const told = {
    bench,
    call,
    written: given.kind === "unary" || given.kind === "serverStream" ? ["hello"] : [],
  };
  for (const group of given.steps) {
    for (const what of group) await act(what, told, given.kind);
    await bench.settle();
  }
  await bench.advance(given.deadlineMs + 1);
  return told;
}

const eachStory = (check: (told: Told) => void | Promise<void>) =>
  fc.assert(
    fc.asyncProperty(story, async (given) => check(await tell(given))),
    { numRuns: 200 },
  );

describe("whatever servers, network, caller and clock do to a hedged call", () => {
  it("it has one status, last of all, by its deadline, and leaves nothing behind (R12, R20, R39)", () =>
    eachStory(({ bench, call }) => {
      expect(call.statuses).toHaveLength(1);
      expect(call.log.at(-1)).toBe("status");
      expect(bench.leftovers).toEqual(NOTHING_LEFT);
      const { started, succeeded, failed } = bench.channel.stats().calls;
      expect([started, succeeded + failed]).toEqual([1, 1]);
    }));

  it("what its caller sees is one attempt's answer, in order, and nothing of a loser (R35)", () =>
    eachStory(({ call }) => {
      expect(new Set(call.messages).size).toBeLessThanOrEqual(1);
      expect(call.headers.length).toBeLessThanOrEqual(1);
      if (call.messages.length + call.headers.length > 0) expect(call.log[0]).toBe("headers");
    }));

  it("every attempt is sent the request in order, nothing twice, nothing left out (R17, R38, R44)", () =>
    eachStory(({ bench, written }) => {
      for (const { sentTexts } of bench.network.calls) {
        expect(sentTexts).toEqual(written.slice(0, sentTexts.length));
      }
    }));

  it("every write is called back once, so that no writer waits for ever", () =>
    eachStory(async ({ bench, call, written }) => {
      await bench.settle();
      const sent = call.flushed.filter((text) => written.includes(text));

      expect([...sent].sort()).toEqual([...written].sort());
    }));

  it("no probe permit is lost: every endpoint is used again once it is well (R41)", () =>
    eachStory(async ({ bench }) => {
      bench.network.plan(A, "ready");
      bench.network.plan(B, "ready");
      bench.network.holdsWrites = false;
      for (const dial of bench.network.dials) dial.holdsWrites = false;
      await bench.advance(300_000);
      // Not hedged, so that each of them says something of its endpoint.
      for (let n = 0; n < 20; n++) {
        await bench.unary({ method: "/other.Service/Call", deadline: bench.clock.epoch() + 1_000 });
        bench.network.current.ok();
        await bench.advance(10_000);
      }

      expect(bench.channel.endpoints().map(({ breaker }) => breaker)).toEqual(["closed", "closed"]);
      expect(bench.leftovers).toEqual(NOTHING_LEFT);
    }));
});
