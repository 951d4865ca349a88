import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { Endpoint } from "../../src/core/index.js";
import { Discovery } from "../../src/discovery/discovery.js";
import { discoveryOptionsSchema } from "../../src/discovery/discovery-options.js";
import { ManualClock, settle } from "../support/manual-clock.js";
import { fixedRandom } from "../support/seeded-random.js";
import { noChannel } from "./no-channel.js";
import { ScriptedScheme } from "./scripted-scheme.js";
import { type Given, numbered, type ScriptedSource } from "./scripted-source.js";

const scheme = new ScriptedScheme("test-discovery");
afterAll(() => scheme.dispose());
beforeEach(() => {
  scheme.made.length = 0;
});

type Memory = Discovery["memory"];

/** A discovery of targets of the test's own, and all that it told. */
class DiscoveryBench {
  readonly discovery: Discovery;
  readonly sets: (readonly Endpoint[])[] = [];
  /** Everything, in order. */
  readonly told: string[] = [];
  onTold: (() => void) | null = null;

  constructor(
    paths: readonly string[],
    options: object = {},
    memory: Memory | null = null,
    readonly clock = new ManualClock(),
  ) {
    const deps = {
      clock,
      random: fixedRandom(0.5),
      lookup: () => Promise.reject(new Error("nobody is to be looked up here")),
      env: {},
      openChannel: noChannel,
    };
    this.discovery = new Discovery(
      scheme.targets(...paths),
      deps,
      discoveryOptionsSchema.parse(options),
      memory,
    );
    this.discovery.start({
      onEndpoints: (set) => {
        this.sets.push(set);
        this.#tell(shown(set));
      },
      onError: (error, source) => this.#tell(`${source} failed: ${error.message}`),
      onHeld: ({ why, lost }, source) => this.#tell(`${source} held: ${why} ${lost.length}`),
      onNothing: () => this.#tell("nothing"),
    });
  }

  /** The next one, over the same clock, with what this one knows. */
  woken(paths: readonly string[], options: object = {}): DiscoveryBench {
    const { memory } = this.discovery;
    this.discovery.close();
    return new DiscoveryBench(paths, options, memory, this.clock);
  }

  source(path: string): ScriptedSource {
    return scheme.source(path);
  }

  /** A source answers, and is heard. */
  async answer(path: string, ...given: readonly Given[]): Promise<void> {
    this.source(path).answer(...given);
    await settle();
  }

  async fail(path: string, message?: string): Promise<void> {
    this.source(path).fail(message);
    await settle();
  }

  #tell(what: string): void {
    this.told.push(what);
    this.onTold?.();
  }
}

/** Addresses with their priorities: `a:1@0 b:1@1`. */
function shown(set: readonly Endpoint[]): string {
  return `[${set.map(({ address, priority }) => (priority === undefined ? address : `${address}@${priority}`)).join(" ")}]`;
}

describe("one target", () => {
  it("gives its endpoints as they are", async () => {
    const bench = new DiscoveryBench(["one"]);

    await bench.answer("one", { address: "a:1", priority: 7, weight: 2 }, "b:1");

    expect(bench.sets).toEqual([[{ address: "a:1", priority: 7, weight: 2 }, { address: "b:1" }]]);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("that answers without endpoints at first gives no set, and the caller is told that there is nothing", async () => {
    const bench = new DiscoveryBench(["one"]);

    await bench.answer("one");

    expect(bench.told).toEqual(["nothing"]);
    expect(bench.discovery.outlook()).toEqual({
      isHopeful: true,
      hasFailed: false,
      text: "test-discovery:///one has answered without endpoints",
    });
  });

  it("that has lost its endpoints for good gives an empty set", async () => {
    const bench = new DiscoveryBench(["one"], { emptyGraceMs: 0 });

    await bench.answer("one", "a:1");
    await bench.answer("one");

    expect(bench.told.slice(0, 3)).toEqual(["[a:1]", "[]", "nothing"]);
    expect(bench.discovery.outlook()).toMatchObject({ isHopeful: false, hasFailed: false });
  });

  it("that lost them while it was watched says so without another answer", async () => {
    const bench = new DiscoveryBench(["one"]);
    bench.source("one").isWatching = true;
    await bench.answer("one", "a:1");
    await bench.answer("one");
    bench.told.length = 0;

    await bench.clock.advance(30_000);

    expect(bench.told).toEqual(["[]", "nothing"]);
  });

  it("that fails before it has answered leaves nothing to hope for", async () => {
    const bench = new DiscoveryBench(["one"]);

    await bench.fail("one", "no route");

    expect(bench.told).toEqual(["test-discovery:///one failed: no route", "nothing"]);
    expect(bench.discovery.outlook()).toEqual({
      isHopeful: false,
      hasFailed: true,
      text: "test-discovery:///one: no route",
    });
  });

  it("tells what it holds back, and whose", async () => {
    const bench = new DiscoveryBench(["one"]);

    await bench.answer("one", ...numbered(9));
    await bench.answer("one", "n1:1");

    expect(bench.told.at(-1)).toBe("test-discovery:///one held: shrink 8");
  });
});

describe("several targets", () => {
  it("are all asked at once", () => {
    const bench = new DiscoveryBench(["one", "two", "three"]);

    expect(["one", "two", "three"].map((path) => bench.source(path).isStarted)).toEqual([true, true, true]);
    expect(bench.clock.pendingTimers).toBe(1);
  });

  it("give one set, in which a later target's come after every one of an earlier's, numbered without gaps", async () => {
    const bench = new DiscoveryBench(["one", "two"]);

    await bench.answer("one", { address: "a:1", priority: 9 }, "b:1", { address: "c:1", priority: 4 });
    await bench.answer("two", { address: "d:1", priority: 5 }, { address: "e:1", priority: 2 });

    expect(bench.told).toEqual(["[a:1@2 b:1@0 c:1@1]", "[a:1@2 b:1@0 c:1@1 d:1@4 e:1@3]"]);
  });

  it("leave an address that two of them name to the first, with what that says of it", async () => {
    const bench = new DiscoveryBench(["one", "two"]);

    await bench.answer("one", { address: "a:1", weight: 5 });
    await bench.answer("two", { address: "a:1", weight: 9 }, "b:1");

    expect(bench.sets.at(-1)).toEqual([
      { address: "a:1", weight: 5, priority: 0 },
      { address: "b:1", priority: 1 },
    ]);
  });

  it("number no place for a target all of whose addresses belong to others", async () => {
    const bench = new DiscoveryBench(["one", "two", "three"]);

    await bench.answer("one", "a:1");
    await bench.answer("two", "a:1");
    await bench.answer("three", "b:1");

    expect(bench.told.at(-1)).toBe("[a:1@0 b:1@1]");
  });

  it("hand an address on to the next that names it when the first has lost it", async () => {
    const bench = new DiscoveryBench(["one", "two"], { emptyGraceMs: 0 });
    await bench.answer("one", { address: "a:1", weight: 5 });
    await bench.answer("two", { address: "a:1", weight: 9 });

    await bench.answer("one");

    expect(bench.sets.at(-1)).toEqual([{ address: "a:1", weight: 9, priority: 0 }]);
  });

  it("let a later one wait until the earlier has answered, also without endpoints", async () => {
    const bench = new DiscoveryBench(["one", "two"]);

    await bench.answer("two", "b:1");
    expect(bench.sets).toEqual([]);
    expect(bench.discovery.outlook()).toEqual({
      isHopeful: true,
      hasFailed: false,
      text: "test-discovery:///one has not answered yet; test-discovery:///two has 1 endpoint",
    });
    await bench.answer("one");

    expect(bench.told.at(-1)).toBe("[b:1@0]");
  });

  it("let a later one wait until the earlier has failed, and nobody hears that nothing is left", async () => {
    const bench = new DiscoveryBench(["one", "two"]);
    await bench.answer("two", "b:1");
    bench.told.length = 0;

    await bench.fail("one");

    expect(bench.told).toEqual(["[b:1@0]", "test-discovery:///one failed: the registry is down"]);
  });

  it("let a later one wait no longer than lookupTimeoutMs for a silent earlier one", async () => {
    const bench = new DiscoveryBench(["one", "two"], { lookupTimeoutMs: 2_000 });
    await bench.answer("two", "b:1");

    await bench.clock.advance(1_999);
    expect(bench.sets).toEqual([]);
    await bench.clock.advance(1);

    expect(bench.told.at(-1)).toBe("[b:1@0]");
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("that are all silent are waited for: the end of that time says nothing", async () => {
    const bench = new DiscoveryBench(["one", "two"]);

    await bench.clock.advance(60_000);

    expect(bench.told).toEqual([]);
    expect(bench.discovery.outlook().isHopeful).toBe(true);
  });

  it("wait for each earlier one, not only for the first", async () => {
    const bench = new DiscoveryBench(["one", "two", "three"]);

    await bench.answer("three", "c:1");
    await bench.fail("one");
    expect(bench.sets).toEqual([]);
    await bench.fail("two");

    expect(bench.told).toContain("[c:1@0]");
  });

  it("put the first before the others when it comes back", async () => {
    const bench = new DiscoveryBench(["one", "two"]);
    await bench.fail("one");
    await bench.answer("two", "b:1");

    await bench.answer("one", "a:1");

    expect(bench.told.at(-1)).toBe("[a:1@0 b:1@1]");
  });

  it("keep what one has given while it fails, beside the others", async () => {
    const bench = new DiscoveryBench(["one", "two"]);
    await bench.answer("one", "a:1");
    await bench.answer("two", "b:1");

    await bench.fail("one");
    await bench.answer("two", "b:1", "c:1");

    expect(bench.told.at(-1)).toBe("[a:1@0 b:1@1 c:1@1]");
  });

  it("tell of no change where a later one names only what an earlier has, nor where answers repeat", async () => {
    const bench = new DiscoveryBench(["one", "two"]);
    await bench.answer("one", "a:1", "b:1");

    await bench.answer("two", "b:1");
    await bench.answer("two", "b:1", "a:1");
    await bench.answer("one", "b:1", "a:1");

    expect(bench.told).toEqual(["[a:1@0 b:1@0]"]);
  });

  it("have a static list as the last resort while the first is out of reach", async () => {
    const bench = new DiscoveryBench(["one", "static:///z:1"]);
    await settle();
    expect(bench.sets).toEqual([]);

    await bench.fail("one");

    expect(bench.told[0]).toBe("nothing");
    expect(bench.sets).toEqual([[{ address: "z:1", priority: 0 }]]);
  });

  it.each<[string, readonly string[], boolean, boolean]>([
    ["none has spoken", ["-", "-"], true, false],
    ["one has failed, the other not spoken", ["error", "-"], true, true],
    ["one has failed, the other never had any", ["error", "0"], true, true],
    ["both have failed", ["error", "error"], false, true],
    ["one has failed, the other lost all", ["error", "1 0"], false, true],
    ["both have lost all", ["1 0", "1 0"], false, false],
    ["one has lost all, the other never had any", ["1 0", "0"], true, false],
  ])("when %s: hope and failure as they are", async (_when, words, isHopeful, hasFailed) => {
    const bench = new DiscoveryBench(["one", "two"], { emptyGraceMs: 0 });

    for (const [place, path] of ["one", "two"].entries()) {
      for (const word of words[place]?.split(" ") ?? []) {
        if (word === "error") await bench.fail(path);
        else if (word !== "-") await bench.answer(path, ...numbered(Number(word), place));
      }
    }

    expect(bench.discovery.outlook()).toMatchObject({ isHopeful, hasFailed });
  });

  it("have stats of their own, in their order", async () => {
    const bench = new DiscoveryBench(["one", "two"]);
    await bench.fail("one");
    await bench.answer("two", "b:1", "c:1");

    expect(bench.discovery.stats()).toMatchObject([
      { source: "test-discovery:///one", endpoints: 0, failures: 1 },
      { source: "test-discovery:///two", endpoints: 2, answers: 1 },
    ]);
  });

  it("are all asked again by refresh()", () => {
    const bench = new DiscoveryBench(["one", "two"]);

    bench.discovery.refresh();

    expect([bench.source("one").refreshes, bench.source("two").refreshes]).toEqual([1, 1]);
  });
});

describe("what an earlier discovery of the same targets knew", () => {
  const BOTH = ["one", "two"];

  /** One that has had a:1 from the first target and b:1 from the second. */
  async function settled(options: object = {}): Promise<DiscoveryBench> {
    const bench = new DiscoveryBench(BOTH, options);
    await bench.answer("one", "a:1");
    await bench.answer("two", "b:1");
    return bench;
  }

  it("stays in use until the targets say otherwise, whichever of them speaks first", async () => {
    const woken = (await settled()).woken(BOTH);
    expect(woken.clock.pendingTimers).toBe(0);

    await woken.answer("two", "b:1");
    await woken.fail("one");
    expect(woken.sets).toEqual([]);
    await woken.answer("two", "b:1", "c:1");

    expect(woken.sets.map(shown)).toEqual(["[a:1@0 b:1@1 c:1@1]"]);
  });

  it("is not told again where nothing has changed", async () => {
    const first = new DiscoveryBench(["one"]);
    await first.answer("one", "a:1", "b:1");
    const woken = first.woken(["one"]);

    await woken.answer("one", "b:1", "a:1");

    expect(woken.told).toEqual([]);
  });

  it("is guarded against an empty answer like any set", async () => {
    const woken = (await settled()).woken(BOTH);
    woken.source("one").isWatching = true;
    await woken.answer("one");
    await woken.clock.advance(29_999);
    expect(woken.sets).toEqual([]);

    await woken.clock.advance(1);

    expect(woken.sets.map(shown)).toEqual(["[b:1@0]"]);
  });

  it("may be changed by what a target says that is different now", async () => {
    const woken = (await settled()).woken(BOTH);

    await woken.answer("one", "z:1");

    expect(woken.sets.map(shown)).toEqual(["[z:1@0 b:1@1]"]);
  });

  it("is nothing where nothing was in use: then later targets wait again", async () => {
    const first = new DiscoveryBench(BOTH);
    await first.answer("two", "b:1");
    const woken = first.woken(BOTH);

    await woken.answer("two", "b:1");
    expect(woken.sets).toEqual([]);
    await woken.fail("one");

    expect(woken.sets.map(shown)).toEqual(["[b:1@0]"]);
  });

  it("is nothing where the targets had lost all: an empty answer is waited out again", async () => {
    const first = new DiscoveryBench(["one"], { emptyGraceMs: 0 });
    await first.answer("one", "a:1");
    await first.answer("one");
    const woken = first.woken(["one"]);

    await woken.answer("one");

    expect(woken.told).toEqual(["nothing"]);
    expect(woken.discovery.outlook().isHopeful).toBe(true);
  });

  it("holds for a target that had given nothing, too: nobody waits for it", async () => {
    const first = new DiscoveryBench(BOTH);
    await first.fail("one");
    await first.answer("two", "b:1");
    const woken = first.woken(BOTH);

    await woken.answer("two", "c:1");

    expect(woken.sets.map(shown)).toEqual(["[c:1@0]"]);
  });

  it("comes through several sleeps", async () => {
    const woken = (await settled()).woken(BOTH).woken(BOTH).woken(BOTH);

    await woken.answer("one", "a:1", "c:1");

    expect(woken.sets.map(shown)).toEqual(["[a:1@0 c:1@0 b:1@1]"]);
  });
});

describe("the end", () => {
  it("stops every source and timer, and nothing is told after it", async () => {
    const bench = new DiscoveryBench(["one", "two"], { maxStaleMs: 60_000 });
    await bench.answer("one", "a:1");
    await bench.answer("one");
    await bench.fail("two");
    const told = bench.told.length;

    bench.discovery.close();
    bench.discovery.close();
    expect(bench.clock.pendingTimers).toBe(0);
    for (const path of ["one", "two"]) await bench.answer(path, "late:1");
    bench.discovery.refresh();
    await bench.clock.advance(600_000);

    expect([bench.source("one").isClosed, bench.source("two").isClosed]).toEqual([true, true]);
    expect(bench.told).toHaveLength(told);
  });

  it.each([0, 1, 2, 3, 4, 5])("may come from inside what is told as number %i", async (number) => {
    const bench = new DiscoveryBench(["one", "two"], { maxStaleMs: 60_000 });
    bench.onTold = () => {
      if (bench.told.length === number + 1) bench.discovery.close();
    };

    await bench.answer("two", "b:1");
    await bench.fail("one");
    await bench.answer("one", ...numbered(9));
    await bench.answer("one", "n1:1");
    await bench.fail("two");
    await bench.clock.advance(600_000);

    expect(bench.told).toHaveLength(number + 1);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("leaves a second start refused, as after the first one, which goes on", async () => {
    const bench = new DiscoveryBench(["one", "two"]);
    const other = { onEndpoints: () => {}, onError: () => {} };

    expect(() => bench.discovery.start(other)).toThrow("has been started");
    await bench.answer("one", "a:1");
    bench.discovery.close();

    expect(bench.told).toEqual(["[a:1@0]"]);
    expect(() => bench.discovery.start(other)).toThrow("is closed");
  });
});
