import fc from "fast-check";
import { expect, it } from "vitest";
import { checkLinearizable, type Operation } from "./linearizability/index.js";
import { isLinearizableByTryingAll } from "./linearizability/naive-checker.js";
import { ManualClock } from "./manual-clock.js";

const text = fc.constantFrom("", "a", "b", "ab", "aa");
const operation = fc
  .record({
    session: fc.nat(3),
    kind: fc.constantFrom("get" as const, "get" as const, "put" as const, "append" as const),
    text,
    result: fc.oneof(fc.constant(undefined), text, fc.stringMatching(/^[ab]{1,4}$/)),
    invokedMs: fc.nat(12),
    lengthMs: fc.option(fc.integer({ min: 1, max: 8 }), { freq: 4, nil: null }),
  })
  .map(
    ({ session, kind, text: value, result, invokedMs, lengthMs }): Operation => ({
      session,
      kind,
      key: "k",
      value: kind === "get" ? "" : value,
      result: kind === "get" ? result : undefined,
      invokedMs,
      returnedMs: lengthMs === null ? null : invokedMs + lengthMs,
    }),
  );

/** Random results are hardly ever right; these are read off one random run, at instants partly out of bounds. */
const plausible = fc
  .tuple(fc.array(operation, { minLength: 2, maxLength: 7 }), fc.infiniteStream(fc.nat(1_000)))
  .map(([operations, rolls]) => {
    const timed = operations.map((one) => ({ one, at: one.invokedMs + (rolls.next().value! % 14) }));
    let value: string | undefined;
    return timed
      .sort((a, b) => a.at - b.at)
      .map(({ one }) => {
        if (one.kind === "get") return { ...one, result: value };
        if (one.returnedMs === null && rolls.next().value! % 2 === 0) return one;
        value = one.kind === "put" ? one.value : (value ?? "") + one.value;
        return one;
      });
  });

for (const [name, histories] of [
  ["arbitrary", fc.array(operation, { maxLength: 7 })],
  ["plausible", plausible],
] as const) {
  it(`gives the verdict of trying every order on thousands of small ${name} histories`, () => {
    const seen = { true: 0, false: 0 };

    fc.assert(
      fc.property(histories, (history) => {
        const expected = isLinearizableByTryingAll(history);
        seen[`${expected}`] += 1;

        const { verdict } = checkLinearizable(history, { clock: new ManualClock() });

        expect(verdict).toBe(expected ? "linearizable" : "not-linearizable");
      }),
      { numRuns: 4_000, seed: 20 },
    );

    expect(Math.min(seen.true, seen.false)).toBeGreaterThan(200);
  });
}
