import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkLinearizable, type Operation } from "./linearizability/index.js";
import { simulatedHistory } from "./linearizability/simulated-history.js";
import { ManualClock } from "./manual-clock.js";
import { SeededRandom } from "./seeded-random.js";

type Part = Pick<Operation, "kind" | "value" | "result">;

const put = (value: string): Part => ({ kind: "put", value, result: undefined });
const append = (value: string): Part => ({ kind: "append", value, result: undefined });
const get = (result?: string): Part => ({ kind: "get", value: "", result });

/** One operation of key "k"; `returnedMs` null for an unknown outcome. */
function at(invokedMs: number, returnedMs: number | null, session: number, part: Part): Operation {
  return { session, key: "k", invokedMs, returnedMs, ...part };
}

function check(history: readonly Operation[], limits = {}) {
  return checkLinearizable(history, { clock: new ManualClock(), ...limits });
}

const small = { operations: 120, sessions: 6, keys: 2, unknownRatio: 0.08, getRatio: 0.4, putRatio: 0.1 };

describe("a history some register could have produced is accepted", () => {
  it.each<[string, Operation[]]>([
    ["no operations", []],
    ["a read of a missing key", [at(0, 1, 1, get())]],
    [
      "a read overlapping a write, either way",
      [at(0, 9, 1, put("a")), at(1, 2, 2, get()), at(3, 4, 3, get("a"))],
    ],
    [
      "overlapping appends in either order",
      [at(0, 5, 1, append("a")), at(1, 4, 2, append("b")), at(6, 7, 3, get("ba"))],
    ],
    [
      "an unknown write that took effect late",
      [at(0, null, 1, append("a")), at(5, 6, 2, get()), at(7, 8, 2, get("a"))],
    ],
    ["an unknown write that never ran", [at(0, null, 1, put("a")), at(5, 6, 2, get()), at(7, 8, 2, get())]],
    [
      "a write that another one hid",
      [at(0, 9, 1, put("a")), at(1, 3, 2, append("z")), at(4, 5, 3, get("a"))],
    ],
    ["an empty value, which is not a missing one", [at(0, 1, 1, append("")), at(2, 3, 1, get(""))]],
    ["instants that touch", [at(0, 5, 1, put("a")), at(5, 6, 2, get())]],
  ])("%s", (_, history) => {
    expect(check(history)).toMatchObject({ verdict: "linearizable", operationsChecked: history.length });
  });

  it("whatever registers did with concurrent sessions and unknown outcomes", () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom(0, 0.05, 0.3),
        fc.constantFrom(0, 0.1, 0.4),
        (seed, sessions, unknownRatio, putRatio) => {
          const history = simulatedHistory(new SeededRandom(seed), {
            ...small,
            sessions,
            unknownRatio,
            putRatio,
          });

          expect(check(history).explanation).toBe("120 operations fit in order");
        },
      ),
      { numRuns: 300, seed: 7 },
    );
  });
});

describe("a history no register could have produced is rejected, and the report shows why", () => {
  it.each<[string, Operation[], RegExp]>([
    [
      "a stale read",
      [at(0, 1, 1, put("a")), at(2, 3, 2, put("b")), at(4, 5, 3, get("a"))],
      /these 3 together\n.*put "a".*\n.*put "b".*\(not in what the last read returned\)\n.*session 3 get -> "a"/,
    ],
    [
      "a lost append",
      [at(0, 1, 1, append("a")), at(2, 3, 2, append("b")), at(4, 5, 3, get("b")), at(6, 7, 3, get("b"))],
      /these 2 together\n.*append "a".*not in what.*\n.*get -> "b" \[4\.000 ms, 5\.000 ms\]/,
    ],
    [
      "a doubled append",
      [at(0, 1, 1, append("a")), at(2, 3, 2, append("b")), at(4, 5, 3, get("aba"))],
      /this read\n.*get -> "aba".*\n.*"a" was written 1 time\(s\) but the last read has it 2 times/,
    ],
    [
      "a reordered session",
      [at(0, 1, 1, append("a")), at(2, 3, 1, append("b")), at(4, 5, 2, get("ba"))],
      /these 2 together\n.*session 1 append "a".*\n.*session 2 get -> "ba"/,
    ],
    [
      "a read of a value never written",
      [at(0, 1, 1, put("a")), at(2, 3, 1, get("x"))],
      /this read\n.*get -> "x"/,
    ],
    [
      "a write acknowledged and then undone",
      [at(0, 1, 1, put("a")), at(2, 3, 1, append("b")), at(4, 5, 2, get("ab")), at(6, 7, 2, get("a"))],
      /these 3 together\n.*put "a".*\n.*append "b".*\(not in what.*\n.*session 2 get -> "a" \[6\.000 ms/,
    ],
    ["a value that vanished", [at(0, 1, 1, put("a")), at(2, 3, 1, get())], /put "a".*\n.*get -> missing/],
    ["a read from before the write began", [at(0, 1, 1, get("a")), at(2, 3, 1, put("a"))], /this read/],
  ])("%s", (_, history, explanation) => {
    const report = check(history);

    expect(report).toMatchObject({ verdict: "not-linearizable", key: "k" });
    expect(report.explanation).toMatch(explanation);
  });

  it("orders instants of one millisecond by their counter", () => {
    const write = { ...at(0, 5, 1, put("a")), invokedOrder: 0, returnedOrder: 1 };
    const read = { ...at(5, 6, 2, get()), invokedOrder: 2, returnedOrder: 3 };

    expect(check([write, read]).verdict).toBe("not-linearizable");
  });

  it("names the faulty key among valid ones, and stays short on long values", () => {
    const others = simulatedHistory(new SeededRandom(1), small);
    const long = "x".repeat(50_000);

    const report = check([...others, at(0, 1, 1, put(long)), at(2, 3, 1, get(`${long}!`))]);

    expect(report.key).toBe("k");
    expect(report.explanation.length).toBeLessThan(600);
  });
});

describe("a valid history that is damaged in one place is rejected", () => {
  const appendsOnly = { ...small, keys: 1, unknownRatio: 0.03, putRatio: 0 };
  type Damage = (
    result: string,
    tokens: readonly string[],
    acknowledged: readonly string[],
    roll: number,
  ) => string | undefined;
  const pick = (tokens: readonly string[], roll: number) => tokens[Math.floor(roll * tokens.length)]!;
  const damages: readonly (readonly [string, Damage])[] = [
    [
      "a stale read",
      (_, tokens, acknowledged) => tokens.slice(0, tokens.indexOf(acknowledged.at(-1)!)).join(""),
    ],
    ["a lost append", (result, _, acknowledged, roll) => result.replace(pick(acknowledged, roll), "")],
    ["a doubled append", (result, tokens, _, roll) => result + pick(tokens, roll)],
    ["a reordered session", (_, tokens, acknowledged) => moveToFront(tokens, acknowledged)],
    ["a value never written", (result) => `${result}<0.0.0>`],
    ["a write undone", () => undefined],
  ];

  it.each(damages)("%s", (_, damage) => {
    let rejected = 0;
    for (let seed = 0; seed < 60; seed++) {
      const random = new SeededRandom(seed);
      const history = simulatedHistory(random, appendsOnly);
      const broken = damageOneRead(history, damage, random.next());
      if (broken === undefined) continue;

      expect(check(broken)).toMatchObject({ verdict: "not-linearizable", key: "k0" });
      rejected += 1;
    }
    expect(rejected).toBeGreaterThan(30);
  });

  /** Puts the last token acknowledged before the read in front of the session's own earlier one. */
  function moveToFront(tokens: readonly string[], acknowledged: readonly string[]): string | undefined {
    const sessionOf = (token: string) => token.split(".")[0];
    const later = acknowledged.at(-1)!;
    if (!acknowledged.slice(0, -1).some((token) => sessionOf(token) === sessionOf(later))) return undefined;
    return [later, ...tokens.filter((token) => token !== later)].join("");
  }

  function damageOneRead(
    history: readonly Operation[],
    damage: Damage,
    roll: number,
  ): readonly Operation[] | undefined {
    const reads = history.filter(({ kind, returnedMs }) => kind === "get" && returnedMs !== null);
    const read = reads[Math.floor((0.5 + roll / 2) * reads.length)]!;
    const tokens = (read.result ?? "").match(/<[^>]*>/g) ?? [];
    const acknowledged = history
      .filter(
        ({ kind, returnedMs }) => kind === "append" && returnedMs !== null && returnedMs < read.invokedMs,
      )
      .map(({ value }) => value);
    if (acknowledged.length === 0) return undefined;
    const result = damage(read.result!, tokens, acknowledged, roll);
    if (result === undefined && !damages.at(-1)!.includes(damage)) return undefined;
    return history.map((operation) => (operation === read ? { ...operation, result } : operation));
  }
});

describe("limits end a check without a guess", () => {
  const history = simulatedHistory(new SeededRandom(3), small);

  it.each([{ maxSteps: 20 }, { maxMemoryStates: 3 }, { maxMs: 0 }])("%o", (limits) => {
    const report = check(history, limits);

    expect(report.verdict).toBe("undecided");
    expect(report.explanation).toContain(Object.keys(limits)[0]);
    expect(check([...history, at(0, 1, 1, get("never written"))], limits).verdict).not.toBe("linearizable");
  });

  it.each([{ maxSteps: 0 }, { maxMemoryStates: Number.NaN }, { maxMs: -1 }])("refuses %o", (limits) => {
    expect(() => check([], limits)).toThrow(/allowed are numbers from/);
  });

  it("refuses an operation that returns before it starts", () => {
    expect(() => check([at(5, 4, 1, put("a"))])).toThrow(/returns at 4 ms, before its start at 5 ms/);
  });

  it("lets a hard key starve no other: a fault elsewhere is still found", () => {
    const hard = simulatedHistory(new SeededRandom(4), { ...small, keys: 1 });
    const fault = at(0, 1, 1, get("never written"));

    expect(check([...hard, fault], { maxSteps: 60 }).verdict).toBe("not-linearizable");
  });
});

describe("a long history costs little more than a step per operation", () => {
  const long = { operations: 30_000, keys: 50, unknownRatio: 0.002, getRatio: 0.3 };

  it.each([
    { ...long, sessions: 8, putRatio: 0 },
    { ...long, sessions: 64, putRatio: 0.05 },
    { ...long, sessions: 64, keys: 1, operations: 5_000, putRatio: 0.05 },
    { ...long, sessions: 64, keys: 1, operations: 5_000, putRatio: 0 },
  ])("%o", (options) => {
    const history = simulatedHistory(new SeededRandom(5), options);
    const began = performance.now();

    const report = check(history);

    if (process.env["PRINT_TIMES"]) console.log(options, report, performance.now() - began);
    expect(report.verdict).toBe("linearizable");
    expect(report.steps).toBeLessThan(options.operations * 3);
  });
});
