import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Endpoint } from "../../src/core/index.js";
import { GuardsStory, type Step, type StoryOptions } from "./guards-story.js";
import { numbered } from "./scripted-source.js";

const RUNS = { numRuns: 300, seed: 6 };

/** Sets of up to ten, with weights, repeated addresses among them. */
const sets: fc.Arbitrary<readonly Endpoint[]> = fc.oneof(
  fc.array(fc.record({ address: fc.constantFrom(...numbered(10)), weight: fc.constantFrom(1, 1, 1, 5) }), {
    maxLength: 12,
  }),
  fc.nat(10).map((count) => numbered(count).map((address) => ({ address }))),
  fc.constant([]),
);

const times = fc.constantFrom(0, 1, 100, 250, 499, 500, 1_000, 5_000, 15_000, 29_999, 30_000, 61_000);

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: sets.map((set) => ({ kind: "answer", set }) as const) },
    { weight: 2, arbitrary: fc.constant({ kind: "again" } as const) },
    { weight: 2, arbitrary: fc.constant({ kind: "error" } as const) },
    { weight: 1, arbitrary: fc.constant({ kind: "refresh" } as const) },
    { weight: 6, arbitrary: times.map((ms) => ({ kind: "wait", ms }) as const) },
    { weight: 1, arbitrary: times.map((ms) => ({ kind: "idle", ms }) as const) },
  ),
  { minLength: 8, maxLength: 30 },
);

const options: fc.Arbitrary<StoryOptions> = fc.record({
  isWatching: fc.boolean(),
  emptyGraceMs: fc.constantFrom(0, 30_000, 30_000, 30_000),
  maxShrinkRatio: fc.constantFrom(0, 0.25, 0.5, 0.5, 1),
  shrinkGraceMs: fc.constantFrom(0, 500, 500, 500),
  maxStaleMs: fc.constantFrom(null, null, 20_000, 60_000),
});

describe("whatever a source says, and whenever", () => {
  it("the set in use follows the rules of the guards, and ends as the source's last word", async () => {
    let heldOrLost = 0;

    await fc.assert(
      fc.asyncProperty(options, steps, async (given, story) => {
        const guards = new GuardsStory(given);
        await guards.play(story);
        await guards.calmDown();
        await guards.end();
        heldOrLost += guards.changes;
      }),
      RUNS,
    );

    // Or the stories would have told of nothing.
    expect(heldOrLost).toBeGreaterThan(600);
  });
});
