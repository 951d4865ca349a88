import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import type { ChannelOptions } from "../../src/call/index.js";
import { FIVE_ATTEMPTS, failCurrent, msToNextAttempt } from "../call/attempts.js";
import {
  A,
  type BenchSetup,
  ChannelBench,
  IDEMPOTENT,
  NOTHING_LEFT,
  readyBench,
} from "../support/channel-bench.js";
import type { TestCall } from "../support/test-call.js";

const CALL_MS = 500;
const NEVER = new Promise<never>(() => {});

interface Scene {
  readonly options?: Partial<ChannelOptions>;
  readonly setup?: BenchSetup;
  /** Before the call. */
  readonly arrange?: (bench: ChannelBench) => unknown;
  /** After its start. */
  readonly act?: (bench: ChannelBench) => unknown;
}

const dial = (plan: "hang" | "refuse" | "silent") => (bench: ChannelBench) => bench.network.plan(A, plan);
const connect = (bench: ChannelBench) => bench.ready();

const SCENES: readonly (readonly [spentOn: string, scene: Scene])[] = [
  ["a name that is never found", { setup: { target: "dns:///kv.example:1", lookup: () => NEVER } }],
  ["a dial that hangs", { arrange: dial("hang") }],
  ["a server that never says SETTINGS", { arrange: dial("silent") }],
  ["waiting for READY", { options: { waitForReady: true }, arrange: dial("refuse") }],
  [
    "waiting for a free stream",
    {
      options: { maxStreamsPerConnection: 1 },
      arrange: async (bench) => (await bench.ready()).unary({ request: "holds the stream" }),
    },
  ],
  [
    "waiting for the next attempt",
    {
      options: { retry: { backoff: { initialMs: 60_000, maxMs: 60_000 } } },
      arrange: connect,
      act: failCurrent,
    },
  ],
  [
    "waiting as pushback asked",
    { arrange: connect, act: (bench) => failCurrent(bench, { "grpc-retry-pushback-ms": "60000" }) },
  ],
  ["an attempt without an answer", { arrange: connect }],
  ["many attempts and the waits between them", { arrange: connect, act: failThrice }],
];

async function failThrice(bench: ChannelBench): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    await failCurrent(bench);
    await msToNextAttempt(bench);
  }
}

/** Runs a call until just before its deadline, and then to it. */
async function play({
  options,
  setup,
  arrange,
  act,
}: Scene): Promise<{ bench: ChannelBench; call: TestCall }> {
  const channel = { ...FIVE_ATTEMPTS, attemptTimeoutMs: null, ...options };
  const retry = { maxAttempts: 5, backoff: { initialMs: 20 }, ...(options?.retry || {}) };
  const bench = new ChannelBench({ ...channel, retry }, setup);
  await arrange?.(bench);
  const start = bench.clock.now();
  const call = await bench.unary({ deadline: bench.clock.epoch() + CALL_MS });
  await act?.(bench);
  await bench.advance(CALL_MS - 1 - (bench.clock.now() - start));
  expect(call.isOver).toBe(false);
  await bench.advance(1);
  return { bench, call };
}

describe("the one deadline of a call", () => {
  it.each(SCENES)(
    "ends it to the millisecond when its time went into %s (R47, R12, R20)",
    async (_what, scene) => {
      const { bench, call } = await play(scene);

      expect(call.statuses).toHaveLength(1);
      expect(call.status).toMatchObject({ code: status.DEADLINE_EXCEEDED, origin: "local" });
      const started = bench.network.calls.length;
      bench.channel.destroy();
      await bench.advance(60_000);
      expect(bench.network.calls).toHaveLength(started);
      expect(bench.leftovers).toEqual(NOTHING_LEFT);
    },
  );

  it("is one instant for all attempts, not a time that begins anew with each (R174, R12)", async () => {
    const bench = await readyBench({ ...FIVE_ATTEMPTS, attemptTimeoutMs: null });
    const deadline = bench.clock.epoch() + 10_000;
    await bench.unary({ deadline });

    await failThrice(bench);

    expect(bench.network.calls.map((attempt) => attempt.deadline)).toEqual(Array(4).fill(deadline));
  });

  it("that passes in a queue or a backoff is held against no endpoint (R56)", async () => {
    const queued = await play(SCENES[4]?.[1] ?? {});
    const waiting = await play(SCENES[5]?.[1] ?? {});

    for (const { bench } of [queued, waiting]) {
      expect(bench.channel.endpoints()[0]).toMatchObject({ breaker: "closed", isSuspect: false });
    }
    expect(queued.bench.channel.stats().throttle?.tokens).toBe(20);
    // The one failure that the server itself made.
    expect(waiting.bench.channel.stats().throttle?.tokens).toBe(19);
  });
});

describe("a wait that is aborted", () => {
  it("C27: settles in the same turn, and leaves no timer and no attempt", async () => {
    const bench = await readyBench({
      ...IDEMPOTENT,
      retry: { backoff: { initialMs: 60_000, maxMs: 60_000 } },
    });
    const call = await bench.unary();
    await failCurrent(bench);
    const before = bench.clock.now();

    call.cancel();
    await bench.settle();

    expect(call.status).toMatchObject({ code: status.CANCELLED, reason: "CANCELLED" });
    expect(bench.clock.now() - before).toBe(0);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("E44: waits for nothing before the first attempt, and tells the last failure when the deadline ends it", async () => {
    const bench = await readyBench({ ...IDEMPOTENT, attemptTimeoutMs: null });
    const call = await bench.unary({ deadline: bench.clock.epoch() + 90 });
    expect(bench.network.calls).toHaveLength(1);

    bench.network.current.fail(status.UNAVAILABLE, "overloaded", { "retry-info": "later" });
    await bench.advance(90);

    expect(call.status.details).toContain("last failure: overloaded");
    expect(call.status.metadata.get("retry-info")).toEqual(["later"]);
    expect(call.status.attempts).toMatchObject([{ code: status.UNAVAILABLE, details: "overloaded" }]);
  });
});
