import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { EndpointSource } from "../../src/call/endpoint-source.js";
import { type ChannelEvent, type Endpoint, EventHub } from "../../src/core/index.js";
import { discoveryOptionsSchema } from "../../src/discovery/index.js";
import { noChannel } from "../discovery/no-channel.js";
import { ScriptedScheme } from "../discovery/scripted-scheme.js";
import { type Given, numbered } from "../discovery/scripted-source.js";
import { ManualClock, settle } from "../support/manual-clock.js";
import { fixedRandom } from "../support/seeded-random.js";

const scheme = new ScriptedScheme("test-source");
afterAll(() => scheme.dispose());
beforeEach(() => {
  scheme.made.length = 0;
});

/** A source of endpoints whose pool is a list. */
class SourceBench {
  readonly clock = new ManualClock();
  readonly events: ChannelEvent[] = [];
  readonly hub = new EventHub();
  readonly source: EndpointSource;
  /** Sets and failures that the pool was given, in order. */
  readonly given: string[] = [];
  set: readonly Endpoint[] = [];
  onApply: (() => void) | null = null;

  constructor(
    readonly paths: readonly string[] = ["one"],
    options: object = {},
  ) {
    const bench = this;
    this.hub.subscribe((event) => void this.events.push(event));
    const deps = {
      clock: this.clock,
      random: fixedRandom(0.5),
      lookup: () => Promise.reject(new Error("nobody is to be looked up here")),
      env: {},
      openChannel: noChannel,
      events: this.hub,
    };
    const resolved = discoveryOptionsSchema.parse(options);
    this.source = new EndpointSource("the channel", scheme.targets(...paths), resolved, deps, {
      get inUse() {
        return bench.set.length;
      },
      apply: (endpoints) => {
        this.set = endpoints;
        this.given.push(`[${endpoints.map(({ address }) => address).join(" ")}]`);
        this.onApply?.();
      },
      fail: (failure) =>
        void this.given.push(failure === null ? "wait" : `${failure.reason}: ${failure.details}`),
    });
  }

  static started(paths?: readonly string[], options?: object): SourceBench {
    const bench = new SourceBench(paths, options);
    bench.source.start();
    return bench;
  }

  async answer(path: string, ...given: readonly Given[]): Promise<void> {
    scheme.source(path).answer(...given);
    await settle();
  }

  async fail(path: string, message?: string): Promise<void> {
    scheme.source(path).fail(message);
    await settle();
  }

  get told(): string[] {
    return this.events.map(({ type }) => type);
  }
}

function end(source: EndpointSource, how: "close" | "push" | "pause"): void {
  if (how === "push") source.push(1);
  else source[how]();
}

describe("the targets' endpoints", () => {
  it("go to the pool as they come, and an equal answer does not", async () => {
    const bench = SourceBench.started();

    await bench.answer("one", "a:1");
    await bench.answer("one", "a:1", "b:1");
    await bench.answer("one", "b:1", "a:1");

    expect(bench.given).toEqual(["[a:1]", "[a:1 b:1]"]);
    expect(bench.told).toEqual(["resolver.resolving"]);
  });

  it("are asked for once, however often it is started", () => {
    const bench = SourceBench.started();

    bench.source.start();

    expect(scheme.made).toHaveLength(1);
    expect(bench.events).toEqual([{ type: "resolver.resolving", target: "the channel" }]);
  });

  it("that are held back are an event that names them", async () => {
    const bench = SourceBench.started();
    await bench.answer("one", "a:1", "b:1", "c:1");

    await bench.answer("one", "b:1");

    expect(bench.events.at(-1)).toEqual({
      type: "resolver.held",
      source: "test-source:///one",
      why: "shrink",
      endpoints: ["a:1", "c:1"],
    });
  });

  it("stay when a source fails, which is an event that says how many are kept", async () => {
    const bench = SourceBench.started();
    await bench.answer("one", "a:1", "b:1");

    await bench.fail("one");

    expect(bench.events.at(-1)).toEqual({
      type: "resolver.failed",
      source: "test-source:///one",
      error: "the registry is down",
      keptEndpoints: 2,
    });
    expect(bench.given).toEqual(["[a:1 b:1]"]);
  });

  it("are asked for again by refresh()", async () => {
    const bench = new SourceBench();
    bench.source.refresh();
    bench.source.start();

    bench.source.refresh();

    expect(scheme.source("one").refreshes).toBe(1);
  });
});

describe("calls that wait", () => {
  it("are not failed by an empty first answer, nor by a second one", async () => {
    const bench = SourceBench.started();

    await bench.answer("one");
    await bench.answer("one");

    expect(bench.given).toEqual([]);
    expect(bench.source.missing).toBe(
      "no endpoints are known: test-source:///one has answered without endpoints",
    );
  });

  it("are failed when the only target fails, with each new word of it, and not twice with the same", async () => {
    const bench = SourceBench.started();

    await bench.fail("one", "no route");
    await bench.fail("one", "no route");
    await bench.fail("one", "no leader");

    expect(bench.given).toEqual([
      "DISCOVERY_FAILED: test-source:///one: no route",
      "DISCOVERY_FAILED: test-source:///one: no leader",
    ]);
  });

  it("are failed with NO_READY_ENDPOINT when the target has lost its endpoints for good", async () => {
    const bench = SourceBench.started(["one"], { emptyGraceMs: 0 });
    await bench.answer("one", "a:1");

    await bench.answer("one");

    expect(bench.given).toEqual([
      "[a:1]",
      "[]",
      "NO_READY_ENDPOINT: test-source:///one has answered without endpoints",
    ]);
  });

  it("hear so when that is known without another answer", async () => {
    const bench = SourceBench.started();
    scheme.source("one").isWatching = true;
    await bench.answer("one", "a:1");
    await bench.answer("one");

    await bench.clock.advance(30_000);

    expect(bench.given.at(-1)).toBe("NO_READY_ENDPOINT: test-source:///one has answered without endpoints");
  });

  it("are failed when maxStaleMs is over, with what the source said last", async () => {
    const bench = SourceBench.started(["one"], { maxStaleMs: 1_000 });
    await bench.answer("one", "a:1");
    await bench.fail("one");

    await bench.clock.advance(1_000);

    expect(bench.given).toEqual([
      "[a:1]",
      "[]",
      "DISCOVERY_FAILED: test-source:///one: the registry is down",
    ]);
    expect(bench.events.filter(({ type }) => type === "resolver.failed").at(-1)).toMatchObject({
      error: expect.stringContaining("maxStaleMs"),
      keptEndpoints: 0,
    });
  });

  it("wait again when a source is back that had failed, and has none yet", async () => {
    const bench = SourceBench.started();
    await bench.fail("one");

    await bench.answer("one");

    expect(bench.given.at(-1)).toBe("wait");
  });

  it("wait while another target may still have endpoints, and are failed when none can", async () => {
    const bench = SourceBench.started(["one", "two"]);

    await bench.fail("one");
    expect(bench.given).toEqual([]);
    await bench.fail("two", "no route");

    expect(bench.given).toEqual([
      "DISCOVERY_FAILED: test-source:///one: the registry is down; test-source:///two: no route",
    ]);
  });

  it("are never failed for a target that another one makes up for", async () => {
    const bench = SourceBench.started(["one", "two"]);
    await bench.answer("two", "b:1");
    expect(bench.source.missing).toContain("one has not answered yet; test-source:///two has 1 endpoint");

    await bench.fail("one");

    expect(bench.given).toEqual(["[b:1]"]);
    expect(bench.events.at(-1)).toMatchObject({ type: "resolver.failed", keptEndpoints: 1 });
  });

  it("are told the same again once there were endpoints in between", async () => {
    const bench = SourceBench.started(["one"], { maxStaleMs: 1_000 });
    await bench.fail("one");
    await bench.answer("one", "a:1");
    await bench.fail("one");

    await bench.clock.advance(1_000);

    expect(bench.given).toEqual([
      "DISCOVERY_FAILED: test-source:///one: the registry is down",
      "[a:1]",
      "[]",
      "DISCOVERY_FAILED: test-source:///one: the registry is down",
    ]);
  });

  it("are told that nobody was asked where that is so", () => {
    expect(new SourceBench().source.missing).toBe(
      "no endpoints are known: the channel has not been asked yet",
    );
  });
});

describe("a set pushed by hand", () => {
  it("ends the say of the targets, also of an answer on its way", async () => {
    const bench = SourceBench.started();

    bench.source.push(2);
    await bench.answer("one", "late:1");
    await bench.fail("one");
    bench.source.start();

    expect(scheme.source("one").isClosed).toBe(true);
    expect(bench.given).toEqual([]);
    expect(scheme.made).toHaveLength(1);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("is what stats tell of, with how often and when", async () => {
    const bench = SourceBench.started();
    bench.source.push(2);
    await bench.clock.advance(5_000);

    bench.source.push(3);

    expect(bench.source.stats()).toEqual([
      {
        source: "updateEndpoints",
        endpoints: 3,
        answers: 2,
        failures: 0,
        answeredAt: new Date(bench.clock.epoch()).toISOString(),
        staleSince: null,
        lastError: null,
        problem: null,
        held: null,
      },
    ]);
  });

  it("comes before the targets were ever asked, too: then they never are", () => {
    const bench = new SourceBench();

    bench.source.push(1);
    bench.source.start();
    bench.source.pause();
    bench.source.start();

    expect(scheme.made).toEqual([]);
    expect(bench.events).toEqual([]);
  });
});

describe("a pause", () => {
  it("asks nobody, and the next start knows what was in use", async () => {
    const bench = SourceBench.started();
    await bench.answer("one", "a:1", "b:1");

    bench.source.pause();
    bench.source.pause();
    expect(scheme.source("one").isClosed).toBe(true);
    expect(bench.source.stats()).toMatchObject([{ source: "test-source:///one", endpoints: 2, answers: 1 }]);
    bench.source.start();
    expect(bench.source.stats()).toMatchObject([{ endpoints: 2, answers: 0 }]);
    await bench.answer("one", "b:1", "a:1");

    expect(bench.given).toEqual(["[a:1 b:1]"]);
  });

  it("makes a shrunk or empty answer after it no more believable", async () => {
    const bench = SourceBench.started();
    await bench.answer("one", ...numbered(9));
    bench.source.pause();
    await bench.clock.advance(3_600_000);
    bench.source.start();

    await bench.answer("one");
    await bench.clock.advance(29_999);

    expect(bench.set).toHaveLength(9);
    expect(bench.told).toContain("resolver.held");
  });

  it("lets a call that was failed before it wait for the next answer", async () => {
    const bench = SourceBench.started();
    await bench.fail("one");
    bench.source.pause();
    bench.source.start();
    expect(bench.given).toHaveLength(1);

    await bench.fail("one");

    expect(bench.given).toEqual(Array(2).fill("DISCOVERY_FAILED: test-source:///one: the registry is down"));
  });
});

describe("the end", () => {
  it("closes the targets, and a start after it opens none", () => {
    const bench = SourceBench.started();

    bench.source.close();
    bench.source.close();
    bench.source.start();

    expect(scheme.source("one").isClosed).toBe(true);
    expect(scheme.made).toHaveLength(1);
  });

  it.each(["close", "push"] as const)("%s from inside resolver.resolving asks nobody", (how) => {
    const bench = new SourceBench();
    bench.hub.subscribe(() => end(bench.source, how));

    bench.source.start();

    expect(scheme.made).toEqual([]);
  });

  it.each(["close", "push", "pause"] as const)(
    "%s from inside any other event ends it there",
    async (how) => {
      for (const type of ["resolver.failed", "resolver.held"]) {
        const bench = SourceBench.started(["one"], { maxStaleMs: 5_000 });
        bench.hub.subscribe((event) => event.type === type && end(bench.source, how));

        await bench.answer("one", ...numbered(9));
        await bench.answer("one", "n1:1");
        await bench.fail("one");
        await bench.answer("one", "n1:1");
        await bench.clock.advance(600_000);

        expect(bench.told.at(-1)).toBe(type);
        expect(bench.given).toEqual([`[${numbered(9).join(" ")}]`]);
        expect(bench.clock.pendingTimers).toBe(0);
      }
    },
  );

  it.each(["close", "push", "pause"] as const)(
    "%s while a set is applied: the pool hears no more",
    async (how) => {
      const bench = SourceBench.started(["one", "two"], { emptyGraceMs: 0 });
      bench.onApply = () => end(bench.source, how);

      await bench.answer("one", "a:1");
      await bench.answer("two", "b:1");
      await bench.answer("one");

      expect(bench.given).toEqual(["[a:1]"]);
      expect(bench.clock.pendingTimers).toBe(0);
    },
  );
});
