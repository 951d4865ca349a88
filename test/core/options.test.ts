import { describe, expect, it } from "vitest";
import { z } from "zod";
import { isReason } from "../../src/core/errors.js";
import {
  describeIssues,
  durationMs,
  parseOptions,
  positiveMs,
  problemsError,
  suggest,
} from "../../src/core/options.js";

const schema = z.strictObject({
  timeoutMs: positiveMs().nullable().default(1_000),
  drainMs: durationMs().default(0),
  policy: z.enum(["round_robin", "pick_first"]).default("round_robin"),
  ratio: z.number().positive().max(1).default(0.5),
  name: z.string().min(1).optional(),
  backoff: z.strictObject({ initialMs: positiveMs(), kind: z.enum(["fixed", "linear"]) }).optional(),
  breaker: z
    .union([
      z.literal(false),
      z.strictObject({ openMs: positiveMs().default(5), probes: z.int().default(1) }),
    ])
    .prefault({}),
  methods: z.record(z.string(), z.strictObject({ idempotent: z.boolean().optional() })).default({}),
  codes: z.array(z.number()).min(1).optional(),
});

function problemsOf(input: unknown): string {
  try {
    parseOptions(schema, input, "createThing");
  } catch (error) {
    if (!isReason(error, "CONFIG_INVALID")) throw error;
    return error.details;
  }
  throw new Error("accepted");
}

describe("good options", () => {
  it("are given back with every default in place", () => {
    expect(parseOptions(schema, { drainMs: 0 }, "createThing")).toEqual({
      timeoutMs: 1_000,
      drainMs: 0,
      policy: "round_robin",
      ratio: 0.5,
      breaker: { openMs: 5, probes: 1 },
      methods: {},
    });
  });

  it("may say null for no limit, and zero is a value", () => {
    expect(parseOptions(schema, { timeoutMs: null }, "x").timeoutMs).toBeNull();
    expect(parseOptions(schema, { drainMs: 0 }, "x").drainMs).toBe(0);
  });
});

describe("one bad option", () => {
  it.each<[string, unknown, string]>([
    ["too small", { timeoutMs: 0 }, "timeoutMs is 0; allowed: 1 or more"],
    ["negative", { drainMs: -1 }, "drainMs is -1; allowed: 0 or more"],
    ["too large", { ratio: 2 }, "ratio is 2; allowed: 1 or less"],
    ["not a number", { timeoutMs: Number.NaN }, "timeoutMs is NaN; allowed: a value of type number"],
    [
      "infinite",
      { timeoutMs: Number.POSITIVE_INFINITY },
      "timeoutMs is Infinity; allowed: a value of type number",
    ],
    ["of another type", { drainMs: "5s" }, 'drainMs is "5s"; allowed: a value of type number'],
    ["an unknown word", { policy: "random" }, 'policy is "random"; allowed: "round_robin", "pick_first"'],
    ["an empty text", { name: "" }, 'name is ""; allowed: a length of 1 or more'],
    ["neither of two kinds", { breaker: true }, "breaker is true; allowed: false, or a value of type object"],
    ["null", null, "options is null; allowed: a value of type object"],
    ["absent", undefined, "options is undefined; allowed: a value of type object"],
    ["an array", [], "options is an array; allowed: a value of type object"],
  ])("that is %s is named with its value and what is allowed", (_what, input, expected) => {
    expect(problemsOf(input)).toBe(`createThing: 1 problem: ${expected}`);
  });

  it("at an open bound is not told that its value is allowed", () => {
    expect(problemsOf({ ratio: 0 })).toBe("createThing: 1 problem: ratio is 0; allowed: more than 0");
  });

  it("that is an empty list is told how many entries it needs", () => {
    expect(problemsOf({ codes: [] })).toContain("codes is an empty array; allowed: 1 entry or more");
  });

  it("deep inside is named by its whole path", () => {
    expect(problemsOf({ backoff: { initialMs: 0, kind: "fixed" } })).toContain("backoff.initialMs is 0");
    expect(problemsOf({ methods: { "a.B/C": { idempotent: 1 } } })).toContain(
      "methods.a.B/C.idempotent is 1",
    );
    expect(problemsOf({ breaker: { openMs: 0 } })).toContain("breaker.openMs is 0; allowed: 1 or more");
  });

  it("of the wrong type inside a group that may also be false is named by its whole path", () => {
    expect(problemsOf({ breaker: { openMs: "5s" } })).toContain(
      'breaker.openMs is "5s"; allowed: a value of type number',
    );
  });

  it("is never dumped when it is large", () => {
    const secret = { password: "s3cret" };

    expect(problemsOf({ drainMs: secret })).toContain("drainMs is an object");
    expect(problemsOf({ drainMs: () => secret })).toContain("drainMs is a function");
    expect(problemsOf({ drainMs: "x".repeat(10_000) }).length).toBeLessThan(200);
  });
});

describe("several bad options", () => {
  it("are all named in one error", () => {
    const details = problemsOf({ timeoutMs: -1, policy: "x", timeoutMS: 3, backoff: { initialMs: 0 } });

    expect(details).toMatch(/^createThing: 5 problems: /);
    for (const key of ["timeoutMs is -1", "policy is", "timeoutMS", "backoff.initialMs is 0", "backoff.kind"])
      expect(details).toContain(key);
  });

  it("inside a group that may also be false are all named", () => {
    const details = problemsOf({ breaker: { openMs: -1, probes: "x" } });

    expect(details).toContain("breaker.openMs is -1");
    expect(details).toContain('breaker.probes is "x"');
  });
});

describe("an unknown key", () => {
  it.each<[unknown, string]>([
    [{ timeoutMS: 1 }, "timeoutMS is not a known key (did you mean timeoutMs?)"],
    [{ timout: 1 }, "timout is not a known key (did you mean"],
    [
      { backoff: { initialMs: 1, kind: "fixed", initalMs: 1 } },
      "backoff.initalMs is not a known key (did you mean initialMs?)",
    ],
    [{ breaker: { openMS: 1 } }, "breaker.openMS is not a known key (did you mean openMs?)"],
    [
      { methods: { "a.B": { idempotnt: true } } },
      "methods.a.B.idempotnt is not a known key (did you mean idempotent?)",
    ],
  ])("is answered with the nearest one: %j", (input, expected) => {
    expect(problemsOf(input)).toContain(expected);
  });

  it("that resembles none is answered with all of them", () => {
    expect(problemsOf({ backoff: { initialMs: 1, kind: "fixed", xyzzy: 1 } })).toContain(
      "backoff.xyzzy is not a known key (known: initialMs, kind)",
    );
  });
});

describe("suggest", () => {
  it.each(["nope", "rap", "x", "kv"])("does not take the short %j for something else", (name) => {
    expect(suggest(name, ["grpc", "tls", "me"])).toBe(" (known: grpc, tls, me)");
  });

  it("looks past upper and lower case", () => {
    expect(suggest("ROUND_ROBIN", ["round_robin"])).toBe(" (did you mean round_robin?)");
  });

  it("stays silent where a list would be too long to read", () => {
    const known = Array.from({ length: 41 }, (_, index) => `some_long_name_${index}`);

    expect(suggest("x", known)).toBe("");
    expect(suggest("x", [])).toBe("");
  });
});

it("tells a hundred problems and the number of the others", () => {
  const problems = problemsOf(Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`k${at}`, 1])));

  expect(problems).toMatch(/^createThing: 5000 problems: k0 is not .*k99 is not .*; and 4900 more$/);
  expect(problems).not.toContain("k100 ");
});

it.each([
  "-----BEGIN PRIVATE KEY-----MIGHAgEA",
  `MIGHAgEAMBMG${"A".repeat(50)}==`,
  "AAAA\n-----END CERTIFICATE-----",
])("never shows a key: %j", (pem) => {
  expect(problemsOf({ timeoutMs: pem })).toContain(
    "timeoutMs is a PEM text; allowed: a value of type number",
  );
  expect(problemsOf({ [pem]: 1 })).toContain(": a PEM text is not a known key");
});

it("counts the problems of a hand-made list", () => {
  expect(problemsError("here", ["a"]).message).toContain("here: 1 problem: a");
  expect(problemsError("here", ["a", "b"]).message).toContain("here: 2 problems: a; b");
});

describe("a rule across fields", () => {
  const ranged = z.strictObject({ low: z.number(), high: z.number() }).check(({ value, issues }) => {
    if (value.low <= value.high) return;
    issues.push({ code: "custom", message: `low is ${value.low}; allowed: high or less`, input: value });
  });
  const holder = z.strictObject({
    range: z.union([z.literal(false), ranged]),
    list: z.array(ranged).optional(),
  });
  const problemsIn = (input: unknown): string =>
    describeIssues(
      holder.safeParse(input, { reportInput: true }).error?.issues ?? [],
      holder,
      input,
      "the thing",
    ).join("; ");

  it("that begins with its field is told with the whole path, also inside a group that may be false", () => {
    expect(problemsIn({ range: { low: 2, high: 1 } })).toBe("range.low is 2; allowed: high or less");
  });

  it("that begins with its field needs no word for the whole", () => {
    const issues = ranged.safeParse({ low: 2, high: 1 }).error?.issues ?? [];

    expect(describeIssues(issues, ranged, {}, "the thing")).toEqual(["low is 2; allowed: high or less"]);
  });

  it("and a typo in a list of groups are both told", () => {
    expect(problemsIn({ range: false, list: [{ low: 2, high: 1, hihg: 1 }] })).toBe(
      "list.0.hihg is not a known key (did you mean high?); list.0.low is 2; allowed: high or less",
    );
  });

  it("names the whole as the caller calls it", () => {
    expect(problemsIn(1)).toBe("the thing is 1; allowed: a value of type object");
  });
});

it("quotes keys that would tear a sentence apart, and cuts long ones", () => {
  expect(problemsOf({ "a b\n": 1 })).toContain('"a b\\n" is not a known key');
  expect(problemsOf({ methods: { "x y": 1 } })).toContain(
    'methods."x y" is 1; allowed: a value of type object',
  );
  expect(problemsOf({ ["k".repeat(10_000)]: 1 }).length).toBeLessThan(300);
});

it("calls what is to be a record an object", () => {
  expect(problemsOf({ methods: 1 })).toContain("methods is 1; allowed: a value of type object");
});
