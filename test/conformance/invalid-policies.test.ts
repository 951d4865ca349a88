import { type ChannelOptions, callOptions, createChannel } from "holdfast";
import { describe, expect, it } from "vitest";
import { configErrorOf, problemCount } from "../support/config-error.js";

type Row = readonly [key: string, value: unknown, allowed: string];

/** What is told of one bad entry of a retry policy, wherever the policy stands. */
function told(path: string, [key, value]: Row): readonly (readonly [where: string, details: string])[] {
  const retry = nested(key, value);
  const refused = (options: object): string => {
    const error = refusalOf(options);
    expect(problemCount(error)).toBe(1);
    return error.details;
  };
  const everywhere = [[`${path}.${key}`, refused({ retry })]] as [string, string][];
  // The throttle belongs to the target, so no method and no call has one of its own.
  if (key.startsWith("throttle")) return everywhere;
  everywhere.push([`methods.a.B/C.${path}.${key}`, refused({ methods: { "a.B/C": { retry } } })]);
  everywhere.push([`${path}.${key}`, configErrorOf(() => callOptions({ retry } as never)).details]);
  return everywhere;
}

function expectTold(row: Row): void {
  for (const [path, details] of told("retry", row)) {
    expect(details).toContain(path);
    expect(details).toContain(row[2]);
  }
}

const ATTEMPTS: readonly Row[] = [
  ["maxAttempts", 0, "is 0; allowed: 1 or more"],
  ["maxAttempts", -1, "is -1; allowed: 1 or more"],
  ["maxAttempts", 2.5, "is 2.5; allowed: a value of type int"],
  ["maxAttempts", Number.NaN, "is NaN; allowed: a value of type number"],
  ["maxAttempts", "3", 'is "3"; allowed: a value of type number'],
  ["maxAttempts", null, "is null; allowed: a value of type number"],
];

const WAITS: readonly Row[] = ["backoff.initialMs", "backoff.maxMs"].flatMap((key): Row[] => [
  [key, 0, "is 0; allowed: 1 or more"],
  [key, -5, "is -5; allowed: 1 or more"],
  [key, "1s", 'is "1s"; allowed: a value of type number'],
  [key, Number.POSITIVE_INFINITY, "is Infinity; allowed: a value of type number"],
]);

const MULTIPLIERS: readonly Row[] = [
  ["backoff.multiplier", 0, "is 0; allowed: more than 0"],
  ["backoff.multiplier", -2, "is -2; allowed: more than 0"],
  ["backoff.multiplier", Number.NaN, "is NaN; allowed: a value of type number"],
  ["backoff.multiplier", "2", 'is "2"; allowed: a value of type number'],
];

const CODES: readonly Row[] = [
  ["retryableCodes", [], "is an empty array; allowed: 1 entry or more"],
  ["retryableCodes", "UNAVAILABLE", 'is "UNAVAILABLE"; allowed: a value of type array'],
  ["retryableCodes", [99], "99 is not a gRPC status code (known: 1 to 16)"],
  ["retryableCodes", [1.5], "1.5 is not a gRPC status code (known: 1 to 16)"],
  [
    "retryableCodes",
    [14, "UNAVAILABEL"],
    '.1: "UNAVAILABEL" is not a gRPC status code (did you mean UNAVAILABLE?)',
  ],
  ["retryableCodes", ["OK"], '.0: "OK" is no failure, so it cannot be retried'],
  ["retryableCodes", [0], ".0: 0 is no failure, so it cannot be retried"],
];

const THROTTLES: readonly Row[] = [
  ["throttle.maxTokens", 0, "is 0; allowed: 0.001 or more"],
  ["throttle.maxTokens", -1, "is -1; allowed: 0.001 or more"],
  ["throttle.maxTokens", 1_000.5, "is 1000.5; allowed: 1000 or less"],
  ["throttle.maxTokens", "10", 'is "10"; allowed: a value of type number'],
  ["throttle.tokenRatio", 0, "is 0; allowed: 0.001 or more"],
  ["throttle.tokenRatio", -0.1, "is -0.1; allowed: 0.001 or more"],
  ["throttle.tokenRatio", Number.NaN, "is NaN; allowed: a value of type number"],
];

const HEDGES: readonly Row[] = [
  ["hedging.maxAttempts", 1, "is 1; allowed: 2 or more"],
  ["hedging.maxAttempts", 21, "is 21; allowed: 20 or less"],
  ["hedging.maxAttempts", 6, "allowed: 2 to retry.maxAttemptsLimit (5)"],
  ["hedging.maxAttempts", 2.5, "is 2.5; allowed: a value of type int"],
  ["hedging.maxAttempts", "3", 'is "3"; allowed: a value of type number'],
  ["hedging.delayMs", -1, "is -1; allowed: 0 or more"],
  ["hedging.delayMs", "1s", 'is "1s"; allowed: a value of type number, or "p95"'],
  ["hedging.delayMs", "p99", 'is "p99"; allowed: a value of type number, or "p95"'],
  ["hedging.initialDelayMs", Number.NaN, "is NaN; allowed: a value of type number"],
  ["hedging.nonFatalCodes", "UNAVAILABLE", 'is "UNAVAILABLE"; allowed: a value of type array'],
  ["hedging.nonFatalCodes", [14, "NOPE"], '.1: "NOPE" is not a gRPC status code'],
  ["hedging.nonFatalCodes", [99], ".0: 99 is not a gRPC status code (known: 1 to 16)"],
  ["hedging.nonFatalCodes", ["OK"], '.0: "OK" is no failure'],
];

describe("a hedging policy that is not legal is refused by path, value and range", () => {
  it.each(HEDGES)("%s of %o (R6)", (key, value, allowed) => {
    for (const [place, options] of [
      [key, nested(key, value)],
      [`methods.a.B/C.${key}`, { methods: { "a.B/C": nested(key, value) } }],
    ] as const) {
      const { details } = refusalOf(options);

      expect(details).toContain(place);
      expect(details).toContain(allowed);
    }
  });

  it.each([{ delayMs: 0 }, { nonFatalCodes: [] }, { maxAttempts: 5, delayMs: "p95" as const }, {}])(
    "but %o is legal (R6)",
    async (hedging) => {
      await createChannel("static:///a:1", { insecure: true, hedging }).close();
    },
  );

  it("where a retry policy stands beside it (R1)", () => {
    const policies = { hedging: { maxAttempts: 2 }, retry: { maxAttempts: 2 } };

    const error = refusalOf({ methods: { "a.B/C": policies } });

    expect(error.details).toContain("methods.a.B/C.hedging");
    expect(error.details).toContain("stands beside retry; give one of them");
  });

  it("on a method that is said not to be idempotent", () => {
    const error = refusalOf({ methods: { "a.B/C": { idempotent: false, hedging: {} } } });

    expect(error.details).toContain("methods.a.B/C.hedging");
    expect(error.details).toContain("needs a method that is idempotent");
  });
});

function refusalOf(options: object): ReturnType<typeof configErrorOf> {
  return configErrorOf(() =>
    createChannel("static:///a:1", { insecure: true, ...options } as ChannelOptions),
  );
}

describe("a retry policy that is not legal is refused by path, value and range, of channel, method and call", () => {
  it.each(ATTEMPTS)("%s of %o (R2)", (...row) => expectTold(row));
  it.each(WAITS)("%s of %o (R3)", (...row) => expectTold(row));
  it.each(MULTIPLIERS)("%s of %o (R4)", (...row) => expectTold(row));
  it.each(CODES)("%s of %o (R5)", (...row) => expectTold(row));
  it.each(THROTTLES)("%s of %o (R7)", (...row) => expectTold(row));
});

it.each([2, 5])(
  "maxAttempts may be the limit, %d where gRPC's default is 5, and not one more (R2)",
  async (limit) => {
    const open = (maxAttempts: number) =>
      createChannel("static:///a:1", { insecure: true, retry: { maxAttempts, maxAttemptsLimit: limit } });

    await open(limit).close();
    const error = configErrorOf(() => open(limit + 1));

    expect(error.details).toContain(`maxAttempts is ${limit + 1}; allowed: 1 to maxAttemptsLimit (${limit})`);
  },
);

it("every mistake of a policy is told at once (R2, R3, R4, R5, R7)", () => {
  const retry = {
    maxAttempts: 0,
    backoff: { initialMs: 0, maxMs: 0, multiplier: 0 },
    retryableCodes: [],
    throttle: { maxTokens: 0, tokenRatio: 0 },
  };

  const error = configErrorOf(() => createChannel("static:///a:1", { insecure: true, retry }));

  expect(problemCount(error)).toBe(7);
});

/** `nested("a.b", 1)` is `{ a: { b: 1 } }`. */
function nested(path: string, value: unknown): object {
  return path.split(".").reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as object;
}
