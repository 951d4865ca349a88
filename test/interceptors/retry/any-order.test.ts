import * as grpc from "@grpc/grpc-js";
import fc from "fast-check";
import {
  authInterceptor,
  breakerInterceptor,
  compose,
  concurrencyLimitInterceptor,
  deadlineInterceptor,
  hedgingInterceptor,
  hooksInterceptor,
  loggingInterceptor,
  metadataInterceptor,
  retryInterceptor,
} from "holdfast";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { type CallArgs, type CallEnd, KINDS } from "../../support/contract-calls.js";
import { type Direction, direct, REFUSAL } from "../../support/directed-server.js";
import { settle } from "../../support/manual-clock.js";
import { usePlainBench } from "../plain/plain-bench.js";

const silent = pino({ level: "silent" });
const tenant = new grpc.Metadata();
tenant.set("x-tenant", "a");

/** The other interceptors, some in a form that answers late. */
const OTHERS: Readonly<Record<string, () => grpc.Interceptor>> = {
  deadline: () => deadlineInterceptor({ methods: { "holdfast.contract.Contract": { timeoutMs: 60_000 } } }),
  breaker: () => breakerInterceptor({ consecutiveFailures: 10 }),
  "concurrency limit": () => concurrencyLimitInterceptor({ maxConcurrentCalls: 4 }),
  "late metadata": () => metadataInterceptor(async () => tenant),
  "late auth": () => authInterceptor({ getToken: async () => "good" }),
  logging: () => loggingInterceptor(silent),
  hooks: () => hooksInterceptor({}),
  "user's own": () => (options, nextCall) => new grpc.InterceptingCall(nextCall(options)),
  // What it forwards late must be what was given, whichever attempt it belongs to.
  "user's own, late": () => (options, nextCall) =>
    new grpc.InterceptingCall(nextCall(options), {
      start: (metadata, listener, next) => void setImmediate(() => next(metadata, listener)),
    }),
};

const REPEATERS: Readonly<Record<string, () => grpc.Interceptor>> = {
  retry: () => retryInterceptor({ idempotent: true, throttle: false, backoff: { kind: "immediate" } }),
  hedging: () => hedgingInterceptor({ idempotent: true, throttle: false, delayMs: 20_000 }),
};

function pick<K extends string>(
  makers: Readonly<Record<K, () => grpc.Interceptor>>,
  name: K,
): grpc.Interceptor {
  return makers[name]();
}

/** What a caller can see of an end, without what a report adds to it. */
function visible({ answers, error, status, headers, told }: CallEnd): object {
  const { code, details, metadata } = status;
  return {
    answers,
    code: [error?.code ?? null, code],
    details: [error?.details ?? null, details],
    trailers: metadata.get("why"),
    farewell: metadata.get("farewell"),
    greeting: headers?.get("greeting") ?? null,
    told,
  };
}

describe("retry and hedging among the other interceptors, in any order", () => {
  const bench = usePlainBench();
  const names = fc.shuffledSubarray(Object.keys(OTHERS));
  const repeater = fc.constantFrom(...Object.keys(REPEATERS));

  it("show a caller of any kind what the bare client shows, where nothing is to be repeated (R44)", async () => {
    const bare = bench.open([]);
    const directions: readonly (Direction | null)[] = [null, "headers", "fail", "fail-late"];
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(names, names),
        repeater,
        fc.constantFrom(...KINDS),
        fc.constantFrom(...directions),
        async ([above, below], name, kind, direction) => {
          const chain = [
            ...above.map((other) => pick(OTHERS, other)),
            pick(REPEATERS, name),
            ...below.map((other) => pick(OTHERS, other)),
          ];
          const stub = bench.open(above.length % 2 === 0 ? [compose(...chain)] : chain);
          const args = (): CallArgs => ({
            texts: ["a", "b", "c"],
            ...(direction === null ? {} : { metadata: direct(direction) }),
          });

          const expected = visible(await bench.call(bare, kind, args()));

          expect(visible(await bench.call(stub, kind, args()))).toEqual(expected);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("repeat a call of any kind that failed first, whatever stands above and below (R43, R44)", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(names, names),
        repeater,
        fc.constantFrom(...KINDS),
        async ([above, below], name, kind) => {
          const stub = bench.open([
            ...above.map((other) => pick(OTHERS, other)),
            pick(REPEATERS, name),
            ...below.map((other) => pick(OTHERS, other)),
          ]);
          bench.server.runs.length = 0;

          const { error, told, answers } = await bench.call(stub, kind, {
            texts: ["a", "b", "c"],
            metadata: direct("fail-first"),
          });

          expect(error).toBeNull();
          expect(told).toEqual({ ends: 1, statuses: 1 });
          expect(bench.server.runs).toHaveLength(2);
          if (kind === "clientStream") expect(answers).toEqual([["a,b,c", 3]]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("finish a call once that is cancelled at any time, and send it no more after it (R20, R53)", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(names, names),
        repeater,
        fc.constantFrom(...KINDS),
        fc.integer({ min: 0, max: 6 }),
        async ([above, below], name, kind, turnsBefore) => {
          const finished: number[] = [];
          const hooks = hooksInterceptor({ onFinish: ({ code }) => void finished.push(code) });
          const stub = bench.open([
            hooks,
            ...above.map((other) => pick(OTHERS, other)),
            pick(REPEATERS, name),
            ...below.map((other) => pick(OTHERS, other)),
          ]);

          const call = bench.start(stub, kind, { metadata: direct("hang"), isLeftOpen: true });
          for (let turn = 0; turn < turnsBefore; turn++) {
            await new Promise((resolve) => setImmediate(resolve));
          }
          call.raw.cancel();
          const { error, told } = await call.end;
          await settle();

          expect(error?.code).toBe(grpc.status.CANCELLED);
          expect(told).toEqual({ ends: 1, statuses: 1 });
          expect(finished).toEqual([grpc.status.CANCELLED]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("retry writes and hedge reads, when they are stacked for that (R40, G23)", async () => {
    const stub = bench.open([
      hedgingInterceptor({
        methods: { "holdfast.contract.Contract/Read": { idempotent: true } },
        delayMs: 0,
      }),
      retryInterceptor({ idempotent: true, maxAttempts: 4, backoff: { kind: "immediate" }, throttle: false }),
    ]);
    const read = await bench.call(stub, "read", { metadata: direct("fail") });
    const reads = bench.server.runs.length;
    const write = await bench.call(stub, "unary", { metadata: direct("fail-first") });

    expect(read.error?.code).toBe(REFUSAL.code);
    expect(reads).toBeLessThanOrEqual(2);
    expect(write.error).toBeNull();
    expect(bench.server.runs).toHaveLength(reads + 2);
  });
});
