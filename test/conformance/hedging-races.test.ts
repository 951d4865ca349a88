import { status } from "@grpc/grpc-js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { A, B, C, type ChannelBench, NOTHING_LEFT, readyBench } from "../support/channel-bench.js";
import { bidi, clientStream, serverStream, type TestCall, unary } from "../support/test-call.js";

const DEADLINE_MS = 400;
const HEDGED = {
  methods: { "test.Echo": { idempotent: true } },
  hedging: { maxAttempts: 3, delayMs: 50, nonFatalCodes: ["UNAVAILABLE" as const] },
  attemptTimeoutMs: null,
};

type Event =
  | { readonly at: "attempt"; readonly index: number; readonly does: keyof typeof ANSWERS }
  | { readonly at: "call"; readonly does: keyof typeof CALLERS }
  | { readonly at: "clock"; readonly ms: number };

type Inner = ChannelBench["network"]["current"];

const KINDS = { unary, clientStream, serverStream, bidi } as const;

/** What a server, or its connection, does to one attempt. */
const ANSWERS = {
  headers: (inner: Inner) => inner.headers(),
  message: (inner: Inner, index: number) => inner.message(`answer ${index}`),
  ok: (inner: Inner, index: number) => inner.ok(`answer ${index}`),
  busy: (inner: Inner) => inner.fail(status.UNAVAILABLE),
  fatal: (inner: Inner) => inner.fail(status.NOT_FOUND),
  late: (inner: Inner) => inner.failAfterHeaders(status.UNAVAILABLE),
  later: (inner: Inner) => inner.fail(status.UNAVAILABLE, "later", { "grpc-retry-pushback-ms": "70" }),
  never: (inner: Inner) => inner.fail(status.UNAVAILABLE, "never", { "grpc-retry-pushback-ms": "-1" }),
  refused: (inner: Inner) => inner.refuse(),
  unsent: (inner: Inner) => inner.neverSend(),
} as const;

const CALLERS = {
  cancel: (call: TestCall) => call.cancel(),
  read: (call: TestCall) => call.read(),
  write: (call: TestCall, kind: keyof typeof KINDS) => {
    if (kind === "clientStream" || kind === "bidi") call.write("more");
  },
} as const;

const keysOf = <T extends object>(of: T) => Object.keys(of) as (keyof T)[];
/** Mostly answers: a cancel or the deadline ends every story. */
const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      at: fc.constant("attempt" as const),
      index: fc.nat(2),
      does: fc.constantFrom(...keysOf(ANSWERS)),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      at: fc.constant("clock" as const),
      ms: fc.constantFrom(0, 1, 49, 50, 51, 70, 100),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      at: fc.constant("call" as const),
      does: fc.constantFrom(...keysOf(CALLERS), "read" as const, "write" as const),
    }),
  },
);
/** Events of one group happen in the same turn. */
const groups = fc.array(fc.array(event, { minLength: 1, maxLength: 4 }), { maxLength: 8 });
const kinds = fc.constantFrom(...keysOf(KINDS));

function play({ bench, call }: Omit<Played, "stragglers">, kind: keyof typeof KINDS, happening: Event) {
  if (happening.at === "clock") return bench.advance(happening.ms);
  if (happening.at === "attempt") {
    const inner = bench.network.calls[happening.index];
    if (inner !== undefined) ANSWERS[happening.does](inner, happening.index);
  } else if (!call.isOver) CALLERS[happening.does](call, kind);
  return undefined;
}

interface Played {
  readonly bench: ChannelBench;
  readonly call: TestCall;
  /** How often a live attempt had been sent less than another. */
  readonly stragglers: number;
}

async function playAll(
  kind: keyof typeof KINDS,
  happenings: Event[][],
  throttle: false | object,
): Promise<Played> {
  const options = { ...HEDGED, retry: { throttle } };
  const bench = await readyBench(options, { addresses: [A, B, C] });
  const call = KINDS[kind](bench.channel, { deadline: bench.clock.epoch() + DEADLINE_MS });
  await bench.settle();
  let stragglers = 0;
  for (const group of happenings) {
    for (const happening of group) await play({ bench, call }, kind, happening);
    await bench.settle();
    stragglers += stragglersOf(bench);
  }
  if (kind === "serverStream" || kind === "bidi") call.flow();
  await bench.advance(DEADLINE_MS + 10);
  return { bench, call, stragglers };
}

function stragglersOf(bench: ChannelBench): number {
  const counts = bench.network.calls.map(({ sentTexts }) => sentTexts.length);
  const most = Math.max(0, ...counts);
  return bench.network.calls.filter(({ isEnded }, index) => !isEnded && counts[index] !== most).length;
}

function eachStory(check: (played: Played) => void, throttle: false | object = false): Promise<void> {
  return fc.assert(
    fc.asyncProperty(kinds, groups, async (kind, happenings) => {
      check(await playAll(kind, happenings, throttle));
    }),
    { numRuns: 150 },
  );
}

const ORDERS = [
  ["timer", "answer", "deadline"],
  ["timer", "deadline", "answer"],
  ["answer", "timer", "deadline"],
  ["answer", "deadline", "timer"],
  ["deadline", "timer", "answer"],
  ["deadline", "answer", "timer"],
] as const;

describe("the timer of the last hedge, the last answer, and the deadline", () => {
  it.each(ORDERS)("may come as %s, %s, %s: the call has one status (R39)", async (...order) => {
    const bench = await readyBench(HEDGED, { addresses: [A, B, C] });
    const call = unary(bench.channel, { deadline: bench.clock.epoch() + DEADLINE_MS });
    await bench.advance(99);
    const inner = bench.network.current;
    const happens = {
      timer: () => bench.clock.advance(1),
      answer: async () => inner.ok(),
      deadline: () => bench.clock.advance(DEADLINE_MS),
    };

    // Not awaited, so that each begins before the one before it was told.
    await Promise.all(order.map((what) => happens[what]()));
    await bench.advance(DEADLINE_MS);

    expect(call.statuses).toHaveLength(1);
    expect(call.log.at(-1)).toBe("status");
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });
});

describe("a hedged call, whatever its attempts, its timers and its caller do, in whatever order,", () => {
  it("has exactly one status, last of all, by its deadline, and leaves nothing (R39, R20, R12)", () =>
    eachStory(({ bench, call }) => {
      expect(call.statuses).toHaveLength(1);
      expect(call.log.at(-1)).toBe("status");
      expect(bench.leftovers).toEqual(NOTHING_LEFT);
    }));

  it("shows its caller one attempt's answer only, headers first (R35)", () =>
    eachStory(({ call }) => {
      const answers = call.log.filter((entry) => entry.startsWith("answer"));

      expect(new Set(answers).size).toBeLessThanOrEqual(1);
      expect(call.log.filter((entry) => entry === "headers").length).toBeLessThanOrEqual(1);
      if (answers.length > 0) expect(call.log[0]).toBe("headers");
      if (call.status.code === status.OK) expect(call.log).toContain("headers");
    }));

  it("makes no more attempts that count than maxAttempts", () =>
    eachStory(({ bench }) => {
      const { attempts, transparentRetries } = bench.channel.stats().calls;

      expect(attempts - transparentRetries).toBeLessThanOrEqual(3);
    }));

  it("sends every live attempt all that was written, in order (R38)", () =>
    eachStory(({ bench, stragglers }) => {
      const texts = bench.network.calls.map(({ sentTexts }) => sentTexts);
      const longest = texts.reduce((a, b) => (b.length > a.length ? b : a), []);

      expect(stragglers).toBe(0);
      for (const sent of texts) expect(sent).toEqual(longest.slice(0, sent.length));
    }));

  it("ends just the same where the throttle refuses hedges (R30, R39)", () =>
    eachStory(
      ({ bench, call }) => {
        expect(call.statuses).toHaveLength(1);
        expect(bench.leftovers).toEqual(NOTHING_LEFT);
      },
      { maxTokens: 2, tokenRatio: 0.1 },
    ));
});
