import fc from "fast-check";
import { afterAll, expect, it } from "vitest";
import { EndpointSource } from "../../src/call/endpoint-source.js";
import { type Endpoint, EventHub } from "../../src/core/index.js";
import { discoveryOptionsSchema } from "../../src/discovery/index.js";
import { noChannel } from "../discovery/no-channel.js";
import { ScriptedScheme } from "../discovery/scripted-scheme.js";
import { numbered } from "../discovery/scripted-source.js";
import { ManualClock, settle } from "../support/manual-clock.js";
import { fixedRandom } from "../support/seeded-random.js";

const PATHS = ["one", "two", "three"] as const;
type Path = (typeof PATHS)[number];
type Step =
  | { readonly kind: "answer"; readonly path: Path; readonly set: readonly string[] }
  | { readonly kind: "error"; readonly path: Path }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "sleep"; readonly ms: number };

const scheme = new ScriptedScheme("test-story");
afterAll(() => scheme.dispose());

const paths = fc.constantFrom(...PATHS);
const times = fc.constantFrom(0, 100, 500, 4_999, 5_000, 30_000);
const sets = fc.oneof(
  fc.subarray(numbered(8)),
  fc.nat(8).map((count) => numbered(count)),
);
const stories: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("answer" as const), path: paths, set: sets }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("error" as const), path: paths }) },
    { weight: 4, arbitrary: times.map((ms) => ({ kind: "wait", ms }) as const) },
    { weight: 1, arbitrary: times.map((ms) => ({ kind: "sleep", ms }) as const) },
  ),
  { minLength: 5, maxLength: 25 },
);

/** Three targets and the pool that they feed, which looks at all that it is given. */
class SourceStory {
  readonly clock = new ManualClock();
  readonly source: EndpointSource;
  set: readonly Endpoint[] = [];
  applied = 0;
  failed = 0;
  readonly #truth = new Map<Path, readonly string[]>();

  constructor() {
    const story = this;
    const deps = {
      clock: this.clock,
      random: fixedRandom(0.5),
      lookup: () => Promise.reject(new Error("nobody is to be looked up here")),
      env: {},
      openChannel: noChannel,
      events: new EventHub(),
    };
    const options = discoveryOptionsSchema.parse({});
    scheme.onMade = (source) => {
      source.isWatching = true;
    };
    this.source = new EndpointSource("the channel", scheme.targets(...PATHS), options, deps, {
      get inUse() {
        return story.set.length;
      },
      apply: (endpoints) => this.#apply(endpoints),
      fail: () => {
        this.failed++;
        expect(this.set).toEqual([]);
      },
    });
    this.source.start();
  }

  async act(step: Step): Promise<void> {
    if (step.kind === "answer") this.#answer(step.path, step.set);
    else if (step.kind === "error") scheme.source(step.path).fail();
    else if (step.kind === "wait") await this.clock.advance(step.ms);
    else await this.#sleep(step.ms);
    await settle();
    // What none of them has given up is in use, in whichever target's name.
    const counts = this.source.stats().map(({ endpoints }) => endpoints);
    if (this.set.length === 0 && this.applied > 0) expect(Math.max(...counts)).toBe(0);
  }

  /** All say once more what is so, and stick to it. @returns what must be in use then */
  async calmDown(): Promise<readonly string[]> {
    for (const path of PATHS) this.#answer(path, this.#truth.get(path) ?? []);
    await this.clock.advance(31_000);
    return PATHS.flatMap((path, place) =>
      (this.#truth.get(path) ?? []).filter(
        (address) => !PATHS.slice(0, place).some((other) => this.#truth.get(other)?.includes(address)),
      ),
    );
  }

  #answer(path: Path, set: readonly string[]): void {
    this.#truth.set(path, set);
    scheme.source(path).answer(...set);
  }

  async #sleep(ms: number): Promise<void> {
    this.source.pause();
    expect(this.clock.pendingTimers).toBe(0);
    await this.clock.advance(ms);
    this.source.start();
  }

  #apply(endpoints: readonly Endpoint[]): void {
    this.applied++;
    expect(places(endpoints)).not.toEqual(places(this.set));
    expect(Object.keys(places(endpoints))).toHaveLength(endpoints.length);
    const levels = [...new Set(endpoints.map(({ priority = 0 }) => priority))].sort((a, b) => a - b);
    expect(levels).toEqual(levels.map((_, place) => place));
    this.set = endpoints;
  }
}

function places(set: readonly Endpoint[]): Record<string, number> {
  return Object.fromEntries(set.map(({ address, priority = 0 }) => [address, priority]));
}

it("whatever several targets say, and whenever the channel sleeps: one set in order, changed only by changes, and the last word counts", async () => {
  let applied = 0;

  await fc.assert(
    fc.asyncProperty(stories, fc.constantFrom("close", "push"), async (steps, end) => {
      const story = new SourceStory();
      for (const step of steps) await story.act(step);
      const expected = await story.calmDown();
      expect(Object.keys(places(story.set)).sort()).toEqual([...expected].sort());
      applied += story.applied;

      if (end === "close") story.source.close();
      else story.source.push(1);
      expect(story.clock.pendingTimers).toBe(0);
      const { applied: before, failed } = story;
      for (const path of PATHS) scheme.source(path).answer("late:1");
      for (const path of PATHS) scheme.source(path).fail();
      story.source.refresh();
      await story.clock.advance(60_000);
      expect([story.applied, story.failed]).toEqual([before, failed]);
    }),
    { numRuns: 120, seed: 6 },
  );

  expect(applied).toBeGreaterThan(250);
});
