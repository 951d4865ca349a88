import * as grpc from "@grpc/grpc-js";
import fc from "fast-check";
import {
  authInterceptor,
  breakerInterceptor,
  callOptions,
  compose,
  concurrencyLimitInterceptor,
  deadlineInterceptor,
  hooksInterceptor,
  loggingInterceptor,
  metadataInterceptor,
} from "holdfast";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { type CallArgs, type CallEnd, KINDS, type Kind } from "../../support/contract-calls.js";
import { type Direction, direct } from "../../support/directed-server.js";
import { settle } from "../../support/manual-clock.js";
import { usePlainBench } from "./plain-bench.js";

const silent = pino({ level: "silent" });
const tenant = new grpc.Metadata();
tenant.set("x-tenant", "a");

/** Every interceptor, some in a form that answers late. */
const MAKERS: Readonly<Record<string, () => grpc.Interceptor>> = {
  deadline: () => deadlineInterceptor({ methods: { "holdfast.contract.Contract": { timeoutMs: 60_000 } } }),
  breaker: () => breakerInterceptor(),
  "breaker per method": () => breakerInterceptor({ per: "method" }),
  "concurrency limit": () => concurrencyLimitInterceptor({ maxConcurrentCalls: 1 }),
  metadata: () => metadataInterceptor(tenant),
  "late metadata": () => metadataInterceptor(async () => tenant),
  auth: () => authInterceptor({ getToken: () => "good", idempotent: true }),
  "late auth": () => authInterceptor({ getToken: async () => "good" }),
  logging: () => loggingInterceptor(silent),
  "user's own": () => (options, nextCall) => new grpc.InterceptingCall(nextCall(options)),
};
const names = Object.keys(MAKERS);

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

describe("interceptors in any number and order", () => {
  const bench = usePlainBench();

  it("D34: show a caller of any kind exactly what the bare client shows, and finish each call once", async () => {
    const bare = bench.open([]);
    const directions: readonly (Direction | null)[] = [null, "headers", "fail", "fail-late"];
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([...names, ...names]),
        fc.constantFrom(...KINDS),
        fc.constantFrom(...directions),
        async (chosen, kind, direction) => {
          const finished: number[] = [];
          const hooks = hooksInterceptor({ onFinish: ({ code }) => void finished.push(code) });
          const middle = Math.floor(chosen.length / 2);
          const made = chosen.map((name) => (MAKERS[name] as () => grpc.Interceptor)());
          const interceptors = [...made.slice(0, middle), hooks, ...made.slice(middle)];
          const isComposed = chosen.length % 2 === 0;
          const stub = bench.open(isComposed ? [compose(...interceptors)] : interceptors);
          const args = (): CallArgs => ({
            texts: ["a", "b", "c"],
            ...(direction === null ? {} : { metadata: direct(direction) }),
          });

          const expected = visible(await bench.call(bare, kind, args()));
          const seen = [await bench.call(stub, kind, args()), await bench.call(stub, kind, args())];

          expect(seen.map(visible)).toEqual([expected, expected]);
          expect(finished).toHaveLength(2);
        },
      ),
      { numRuns: 80 },
    );
  });

  it("B13: finish a call once that is cancelled at any time", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(names),
        fc.constantFrom(...KINDS),
        fc.integer({ min: 0, max: 6 }),
        async (chosen, kind, turnsBefore) => {
          const finished: number[] = [];
          const hooks = hooksInterceptor({ onFinish: ({ code }) => void finished.push(code) });
          const made = chosen.map((name) => (MAKERS[name] as () => grpc.Interceptor)());
          const stub = bench.open([hooks, ...made]);

          const call = bench.start(stub, kind, { metadata: direct("hang"), isLeftOpen: true });
          for (let turn = 0; turn < turnsBefore; turn++)
            await new Promise((resolve) => setImmediate(resolve));
          call.raw.cancel();
          const { error, told } = await call.end;
          await settle();

          expect(error?.code).toBe(grpc.status.CANCELLED);
          expect(told).toEqual({ ends: 1, statuses: 1 });
          expect(finished).toEqual([grpc.status.CANCELLED]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("B26: change no options and no metadata that they are given, over 1,000 calls at once", async () => {
    const made = names.map((name) => (MAKERS[name] as () => grpc.Interceptor)());
    const unlimited = made.filter((_, index) => names[index] !== "concurrency limit");
    const stub = bench.open([...unlimited, concurrencyLimitInterceptor({ maxQueuedCalls: 1_000 })]);
    const metadata = direct("headers");
    const before = metadata.toJSON();
    const options = Array.from({ length: 10 }, (_, index) =>
      Object.freeze({ ...callOptions({ timeoutMs: 20_000 + index }), propagate_flags: index }),
    );
    const deadlines = options.map(({ deadline }) => Number(deadline));

    const ends = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) =>
        bench.call(stub, KINDS[index % 4] as Kind, {
          metadata,
          options: options[index % 10] as grpc.CallOptions,
          texts: [`text ${index}`],
          repeat: 1,
        }),
      ),
    );

    expect(ends.every(({ error }) => error === null)).toBe(true);
    expect(ends.map(({ answers }) => answers[0]?.[0])).toEqual(ends.map((_, index) => `text ${index}`));
    expect(metadata.toJSON()).toEqual(before);
    expect(options.map(({ deadline }) => Number(deadline))).toEqual(deadlines);
  });
});

describe("a breaker on a real client", () => {
  const bench = usePlainBench();

  it("opens when nobody listens, and is no matter of the application's own errors", async () => {
    const breaker = breakerInterceptor({ consecutiveFailures: 3 });
    const stub = bench.open([breaker], "127.0.0.1:9");
    for (let call = 0; call < 3; call++) await bench.call(stub, "unary");

    const { error } = await bench.call(stub, "unary");

    expect(error).toMatchObject({
      code: grpc.status.UNAVAILABLE,
      reason: "CIRCUIT_OPEN",
      retryAt: expect.any(Date),
    });
    const calm = breakerInterceptor({ consecutiveFailures: 1 });
    const other = bench.open([calm]);
    for (const kind of KINDS) await bench.call(other, kind, { metadata: direct("fail") });
    expect(calm.state()).toBe("closed");
  });
});
