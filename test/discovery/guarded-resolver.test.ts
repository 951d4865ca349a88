import { describe, expect, it } from "vitest";
import { discoveryOptionsSchema } from "../../src/discovery/discovery-options.js";
import { GuardedResolver, type RememberedSet } from "../../src/discovery/guarded-resolver.js";
import type { HeldLoss } from "../../src/discovery/loss-guard.js";
import { ManualClock, settle } from "../support/manual-clock.js";
import { RecordingListener } from "./recording-listener.js";
import { numbered, ScriptedSource } from "./scripted-source.js";

/** Keeps everything that a guarded resolver tells, in order. */
class GuardedRecorder extends RecordingListener {
  readonly held: HeldLoss[] = [];
  /** What happened, in order. */
  readonly order: string[] = [];

  override onEndpoints(endpoints: Parameters<RecordingListener["onEndpoints"]>[0]): void {
    super.onEndpoints(endpoints);
    this.order.push(`${endpoints.length}`);
  }

  override onError(error: Error): void {
    super.onError(error);
    this.order.push("error");
  }

  onHeld(loss: HeldLoss): void {
    this.held.push({ ...loss });
    this.order.push(`held ${loss.why}`);
  }

  onProblem(problem: string): void {
    this.order.push(problem);
  }

  onAnswer(): void {
    this.order.push("answered");
  }
}

class GuardedBench {
  readonly clock = new ManualClock();
  readonly source = new ScriptedSource();
  readonly listener = new GuardedRecorder();
  readonly guarded: GuardedResolver;

  constructor(options: object = {}, remembered: RememberedSet | null = null) {
    this.guarded = new GuardedResolver(
      this.source,
      discoveryOptionsSchema.parse(options),
      { clock: this.clock },
      remembered,
    );
    this.guarded.start(this.listener);
  }

  /** With so many in use, as a first answer gave them. */
  static using(count: number, options: object = {}): GuardedBench {
    const bench = new GuardedBench(options);
    bench.source.answer(...numbered(count));
    return bench;
  }

  get inUse(): number {
    return this.guarded.current?.length ?? -1;
  }
}

/** Answers of so many endpoints, and errors. */
function sayInTurn(source: ScriptedSource, ...said: readonly (number | "error")[]): void {
  for (const each of said) {
    if (each === "error") source.fail();
    else source.answer(...numbered(each));
  }
}

function remembered(count: number, sinceMs = 1_000): RememberedSet {
  return { endpoints: numbered(count).map((address) => ({ address })), sinceMs };
}

describe("answers", () => {
  it("are told when they differ from what is in use, and not when they are equal, whatever their order", () => {
    const bench = new GuardedBench();

    bench.source.answer("a:1", "b:1");
    bench.source.answer("b:1", "a:1");
    bench.source.answer("a:1", { address: "b:1", weight: 1 });
    bench.source.answer("a:1", { address: "b:1", weight: 2 });

    expect(bench.listener.sets).toEqual([
      [{ address: "a:1" }, { address: "b:1" }],
      [{ address: "a:1" }, { address: "b:1", weight: 2 }],
    ]);
    expect(bench.guarded.stats()).toMatchObject({ answers: 4, endpoints: 2 });
  });

  it("that name an address twice count it once, with what they say first", () => {
    const bench = new GuardedBench();

    bench.source.answer({ address: "a:1", weight: 3 }, "b:1", { address: "a:1", weight: 5 });

    expect(bench.listener.sets).toEqual([[{ address: "a:1", weight: 3 }, { address: "b:1" }]]);
    expect(bench.guarded.stats().endpoints).toBe(2);
  });

  it("are over, for the listener, once what they brought has been told", () => {
    const bench = new GuardedBench();

    bench.source.answer();
    bench.source.answer("a:1");
    bench.source.answer("a:1");
    bench.source.answer();

    expect(bench.listener.order).toEqual(["answered", "1", "answered", "answered", "held empty", "answered"]);
  });
});

describe("changes of a large set", () => {
  const MANY = numbered(1_000);

  it("are gathered for a while after one that was used at once, and the newest answer counts", async () => {
    const bench = GuardedBench.using(1_000);

    for (let n = 1; n <= 50; n++) bench.source.answer(...MANY, `new${n}:1`);
    await bench.clock.advance(99);
    const during = bench.listener.sets.length;
    await bench.clock.advance(1);

    expect(during).toBe(1);
    expect(bench.listener.sets).toHaveLength(2);
    expect(bench.listener.sets[1]?.at(-1)).toEqual({ address: "new50:1" });
    expect(bench.guarded.stats().answers).toBe(51);
  });

  it("are used at once when none came before for that long", async () => {
    const bench = GuardedBench.using(1_000);
    await bench.clock.advance(100);

    bench.source.answer(...MANY, "new:1");

    expect(bench.inUse).toBe(1_001);
  });

  it("wait for a quarter of a second at most, however many there are", async () => {
    const bench = GuardedBench.using(20_000);

    bench.source.answer(...numbered(20_001));
    await bench.clock.advance(249);
    const during = bench.inUse;
    await bench.clock.advance(1);

    expect([during, bench.inUse]).toEqual([20_000, 20_001]);
  });

  it("count before an error that comes after them", () => {
    const bench = GuardedBench.using(1_000);

    bench.source.answer(...MANY, "new:1");
    bench.source.fail();

    expect(bench.listener.order.slice(-2)).toEqual(["1001", "error"]);
  });

  it("leave no timer when the resolver is closed", () => {
    const bench = GuardedBench.using(1_000);
    bench.source.answer(...MANY, "new:1");

    bench.guarded.close();

    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("are used at once, each, where fewer than a hundred are in use", () => {
    const bench = GuardedBench.using(99);

    bench.source.answer(...numbered(98));
    bench.source.answer(...numbered(97));

    expect(bench.listener.sets).toHaveLength(3);
  });
});

describe("an empty first answer", () => {
  it("is waited out, however long it lasts: there is nothing that it could take away", async () => {
    const bench = new GuardedBench();
    bench.source.isWatching = true;

    bench.source.answer();
    await bench.clock.advance(600_000);
    bench.source.answer();

    expect(bench.listener.sets).toEqual([]);
    expect(bench.guarded.current).toBe(null);
    expect(bench.guarded.outlook).toEqual({
      word: "waiting",
      text: "test:///source has answered without endpoints",
    });
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("gives way to the first that has endpoints", () => {
    const bench = new GuardedBench();

    bench.source.answer();
    bench.source.answer("a:1");

    expect(bench.listener.addresses).toEqual([["a:1"]]);
  });
});

describe("a later empty answer", () => {
  it("of a source that watches is believed once it has stood for emptyGraceMs", async () => {
    const bench = GuardedBench.using(3);
    bench.source.isWatching = true;
    bench.source.answer();

    await bench.clock.advance(29_999);
    expect(bench.inUse).toBe(3);
    await bench.clock.advance(1);

    expect(bench.listener.sets.at(-1)).toEqual([]);
    expect(bench.source.refreshes).toBe(0);
    expect(bench.guarded.outlook.word).toBe("empty");
  });

  it("of a source that does not watch is believed when a second one says so after emptyGraceMs", async () => {
    const bench = GuardedBench.using(3);
    bench.source.answer();
    await bench.clock.advance(29_999);
    bench.source.answer();
    expect(bench.source.refreshes).toBe(0);
    await bench.clock.advance(1);
    expect([bench.source.refreshes, bench.inUse]).toEqual([1, 3]);

    bench.source.answer();

    expect(bench.inUse).toBe(0);
    expect(bench.listener.sets).toHaveLength(2);
  });

  it("is as if it had not been when the endpoints are back before that", async () => {
    const bench = GuardedBench.using(3);
    bench.source.isWatching = true;
    bench.source.answer();
    await bench.clock.advance(29_000);

    bench.source.answer(...numbered(3));
    await bench.clock.advance(60_000);

    expect(bench.listener.sets).toHaveLength(1);
    expect(bench.guarded.stats().held).toBe(null);
  });

  it("is not confirmed by the time in which the source fails", async () => {
    const bench = GuardedBench.using(3);
    bench.source.isWatching = true;
    bench.source.answer();
    await bench.clock.advance(20_000);
    bench.source.fail();
    await bench.clock.advance(600_000);
    expect(bench.inUse).toBe(3);

    bench.source.answer();
    await bench.clock.advance(9_999);
    expect(bench.inUse).toBe(3);
    await bench.clock.advance(1);

    expect(bench.inUse).toBe(0);
    expect(bench.listener.held).toHaveLength(1);
  });

  it("is told of at once, and once", async () => {
    const bench = GuardedBench.using(3);

    bench.source.answer();
    await bench.clock.advance(1_000);
    bench.source.answer();

    expect(bench.listener.held).toEqual([
      expect.objectContaining({
        why: "empty",
        lost: [{ address: "n1:1" }, { address: "n2:1" }, { address: "n3:1" }],
      }),
    ]);
  });

  it("that is believed leaves the way open for whatever comes next", async () => {
    const bench = GuardedBench.using(3, { emptyGraceMs: 0 });

    bench.source.answer();
    bench.source.answer();
    bench.source.answer("a:1");

    expect(bench.listener.addresses).toEqual([numbered(3), [], ["a:1"]]);
  });
});

describe("an answer that takes away more than maxShrinkRatio", () => {
  it("of a source that watches is believed once it has stood for shrinkGraceMs", async () => {
    const bench = GuardedBench.using(9);
    bench.source.isWatching = true;
    bench.source.answer("n1:1");

    await bench.clock.advance(499);
    expect(bench.inUse).toBe(9);
    await bench.clock.advance(1);

    expect(bench.listener.addresses.at(-1)).toEqual(["n1:1"]);
  });

  it("of a source that does not watch is asked about, and the answer to that is believed", async () => {
    const bench = GuardedBench.using(9);
    bench.source.onRefresh = () => bench.source.answer("n1:1", "n2:1");
    bench.source.answer("n1:1");

    await bench.clock.advance(500);

    expect(bench.source.refreshes).toBe(1);
    expect(bench.listener.addresses.at(-1)).toEqual(["n1:1", "n2:1"]);
  });

  it("is undone by a second answer that says otherwise, without anybody having lost a connection", async () => {
    const bench = GuardedBench.using(9);
    bench.source.onRefresh = () => bench.source.answer(...numbered(9));
    bench.source.answer("n1:1");

    await bench.clock.advance(10_000);

    expect(bench.source.refreshes).toBe(1);
    expect(bench.listener.sets).toHaveLength(1);
    expect(bench.guarded.stats().held).toBe(null);
  });

  it("waits for the source to answer again where it fails when it is asked", async () => {
    const bench = GuardedBench.using(9);
    bench.source.onRefresh = () => bench.source.fail();
    bench.source.answer("n1:1");
    await bench.clock.advance(60_000);
    expect(bench.inUse).toBe(9);

    bench.source.onRefresh = () => bench.source.answer("n1:1");
    bench.source.answer("n1:1");
    await bench.clock.advance(29_499);
    expect(bench.inUse).toBe(9);
    await bench.clock.advance(1);

    expect(bench.inUse).toBe(1);
  });

  it("is used at once for what it adds and changes", () => {
    const bench = GuardedBench.using(5);

    bench.source.answer({ address: "n1:1", weight: 9 }, "new:1");

    expect(bench.listener.order.slice(-3)).toEqual(["6", "held shrink", "answered"]);
    expect(bench.listener.sets.at(-1)).toEqual([
      { address: "n1:1", weight: 9 },
      { address: "new:1" },
      ...numbered(4, 2).map((address) => ({ address })),
    ]);
  });

  it("is told of again when it turns into an empty one", () => {
    const bench = GuardedBench.using(9);

    bench.source.answer("n1:1");
    bench.source.answer();

    expect(bench.listener.held.map(({ why, lost }) => [why, lost.length])).toEqual([
      ["shrink", 8],
      ["empty", 9],
    ]);
  });
});

describe("a source that neither watches nor answers when it is asked", () => {
  it.each([
    ["a shrink", 1, 500],
    ["an empty answer", 0, 30_000],
  ])(
    "is believed about %s when it has said nothing to that for as long as a question may take",
    async (_, left, graceMs) => {
      const bench = GuardedBench.using(4);
      bench.source.answer(...numbered(left));

      await bench.clock.advance(graceMs + 5_999);
      const before = bench.inUse;
      await bench.clock.advance(1);

      expect([before, bench.inUse]).toEqual([4, left]);
      expect(bench.source.refreshes).toBe(1);
      expect(bench.clock.pendingTimers).toBe(0);
    },
  );

  it("is not believed when it fails instead", async () => {
    const bench = GuardedBench.using(4);
    bench.source.answer(...numbered(1));
    await bench.clock.advance(500);

    bench.source.fail();
    await bench.clock.advance(60_000);

    expect(bench.inUse).toBe(4);
  });
});

describe("a source that restarts and fills up again", () => {
  it.each([
    ["with an error", true],
    ["without one", false],
  ])("costs no endpoint of the last good set %s in between: 9, 0, 1, 4, 8, 9", async (_how, hasFailed) => {
    const bench = GuardedBench.using(9);
    bench.source.isWatching = true;
    if (hasFailed) bench.source.fail();
    await bench.clock.advance(5_000);

    for (const count of [0, 1, 4, 8, 9]) {
      bench.source.answer(...numbered(count));
      await bench.clock.advance(5_000);
    }
    await bench.clock.advance(60_000);

    expect(bench.listener.sets).toHaveLength(1);
    expect(bench.guarded.stats()).toMatchObject({ endpoints: 9, held: null });
  });

  it("is believed for what it has in the end", async () => {
    const bench = GuardedBench.using(9);
    bench.source.isWatching = true;
    bench.source.fail();
    bench.source.answer("n1:1");
    bench.source.answer(...numbered(4));

    await bench.clock.advance(30_000);

    expect(bench.listener.addresses).toEqual([numbered(9), numbered(4)]);
  });

  it("does not make later losses slow when it had been down before there was a set at all", async () => {
    const bench = new GuardedBench();
    bench.source.isWatching = true;
    bench.source.fail();
    bench.source.answer(...numbered(9));
    await bench.clock.advance(3_600_000);

    bench.source.answer("n1:1");
    await bench.clock.advance(500);

    expect(bench.inUse).toBe(1);
  });
});

describe("errors", () => {
  it("keep the last good set, and are told", async () => {
    const bench = GuardedBench.using(2);

    bench.source.fail("one");
    bench.source.fail("two");
    await bench.clock.advance(3_600_000);

    expect(bench.listener.messages).toEqual(["one", "two"]);
    expect(bench.inUse).toBe(2);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("end the use of the set after maxStaleMs, where there is a limit, and say so", async () => {
    const bench = GuardedBench.using(2, { maxStaleMs: 60_000 });
    bench.source.fail("one");
    await bench.clock.advance(30_000);
    bench.source.fail("two");
    await bench.clock.advance(29_999);
    expect(bench.inUse).toBe(2);

    await bench.clock.advance(1);

    expect(bench.listener.order.slice(-3)).toEqual(["error", "0", "error"]);
    expect(bench.listener.messages.at(-1)).toBe(
      "no answer for 60000 ms (discovery.maxStaleMs), so its endpoints are not used any more",
    );
    expect(bench.guarded.outlook).toEqual({ word: "failed", text: "test:///source: two" });
  });

  it("that an answer ends, also an equal one, begin that time anew", async () => {
    const bench = GuardedBench.using(2, { maxStaleMs: 60_000 });
    bench.source.fail();
    await bench.clock.advance(59_999);
    bench.source.answer(...numbered(2));
    await bench.clock.advance(60_000);
    expect(bench.clock.pendingTimers).toBe(0);

    bench.source.fail();
    await bench.clock.advance(59_999);

    expect(bench.inUse).toBe(2);
  });

  it("that outlast maxStaleMs are over with the first answer, whatever its size", async () => {
    const bench = GuardedBench.using(9, { maxStaleMs: 60_000 });
    bench.source.fail();
    await bench.clock.advance(60_000);

    bench.source.answer("n1:1");

    expect(bench.listener.addresses).toEqual([numbered(9), [], ["n1:1"]]);
  });

  it("end no use where nothing was in use", async () => {
    const bench = new GuardedBench({ maxStaleMs: 60_000 });
    bench.source.fail();

    await bench.clock.advance(60_000);

    expect(bench.listener.order).toEqual(["error"]);
  });

  it("end the wait for a held loss together with the set", async () => {
    const bench = GuardedBench.using(9, { maxStaleMs: 1_000 });
    bench.source.answer("n1:1");
    bench.source.fail();

    await bench.clock.advance(60_000);

    expect(bench.guarded.stats()).toMatchObject({ endpoints: 0, held: null });
    expect(bench.source.refreshes).toBe(0);
  });
});

describe("a problem in an answer", () => {
  it("is told after what is of use, and again only when it is another, or was gone meanwhile", () => {
    const bench = new GuardedBench();

    bench.source.answerWith("one is bad", "a:1");
    bench.source.answerWith("one is bad", "a:1");
    bench.source.answerWith("two are bad", "a:1");
    bench.source.answer("a:1");
    bench.source.answerWith("two are bad", "a:1");

    expect(bench.listener.order.filter((what) => what !== "answered")).toEqual([
      "1",
      "one is bad",
      "two are bad",
      "two are bad",
    ]);
  });

  it("says why there are no endpoints, where that is what it is about", () => {
    const bench = new GuardedBench();

    bench.source.answerWith("nobody is there");

    expect(bench.guarded.outlook.text).toBe("test:///source has answered without endpoints: nobody is there");
  });

  it("stands in stats for as long as the newest answer has it", () => {
    const bench = new GuardedBench();

    bench.source.answerWith("one is bad", "a:1");
    expect(bench.guarded.stats().problem).toBe("one is bad");
    bench.source.fail();
    expect(bench.guarded.stats().problem).toBe("one is bad");
    bench.source.answer("a:1");

    expect(bench.guarded.stats().problem).toBe(null);
  });
});

describe("what it says of a source without endpoints in use", () => {
  it("follows what the source said last", () => {
    const bench = new GuardedBench({ emptyGraceMs: 0 });
    const said = [bench.guarded.outlook];
    const note = (act: () => void): void => {
      act();
      said.push(bench.guarded.outlook);
    };

    note(() => bench.source.fail("down"));
    note(() => bench.source.answer());
    note(() => bench.source.answer("a:1"));
    note(() => bench.source.answer("a:1", "b:1"));
    note(() => bench.source.fail("down again"));
    note(() => bench.source.answer());
    note(() => bench.source.fail("gone"));

    expect(said.map(({ word, text }) => `${word}: ${text}`)).toEqual([
      "waiting: test:///source has not answered yet",
      "failed: test:///source: down",
      "waiting: test:///source has answered without endpoints",
      "found: test:///source has 1 endpoint",
      "found: test:///source has 2 endpoints",
      "found: test:///source has 2 endpoints",
      "empty: test:///source has answered without endpoints",
      "failed: test:///source: gone",
    ]);
  });
});

describe("stats", () => {
  it("tell what is in use, what was said, and how old it is", async () => {
    const bench = new GuardedBench();
    const at = (ms: number) => new Date(ManualClock.EPOCH_AT_ZERO + 1_000 + ms).toISOString();
    expect(bench.guarded.stats()).toEqual({
      source: "test:///source",
      endpoints: 0,
      answers: 0,
      failures: 0,
      answeredAt: null,
      staleSince: null,
      lastError: null,
      problem: null,
      held: null,
    });

    bench.source.answer(...numbered(9));
    await bench.clock.advance(10);
    bench.source.answer("n1:1", "new:1");
    await bench.clock.advance(20);
    bench.source.fail("one");
    await bench.clock.advance(30);
    bench.source.fail("two");

    expect(bench.guarded.stats()).toEqual({
      source: "test:///source",
      endpoints: 10,
      answers: 2,
      failures: 2,
      answeredAt: at(10),
      staleSince: at(30),
      lastError: { text: "two", at: at(60) },
      problem: null,
      held: { why: "shrink", endpoints: 8, since: at(10) },
    });
  });

  it("call nothing stale that has been answered, equally or not, and keep the last error", () => {
    const bench = GuardedBench.using(2);
    bench.source.fail("one");

    bench.source.answer(...numbered(2));

    expect(bench.guarded.stats()).toMatchObject({
      staleSince: null,
      lastError: { text: "one" },
      failures: 1,
    });
  });
});

describe("a set that an earlier resolver gave", () => {
  it("is in use from the start, and told no second time when the source still says so", () => {
    const bench = new GuardedBench({}, remembered(3));
    expect(bench.inUse).toBe(3);

    bench.source.answer(...numbered(3));

    expect(bench.listener.order).toEqual(["answered"]);
  });

  it("is guarded like any other: an empty first answer has to last", async () => {
    const bench = new GuardedBench({}, remembered(3));
    bench.source.isWatching = true;

    bench.source.answer();
    await bench.clock.advance(29_999);
    expect(bench.inUse).toBe(3);
    await bench.clock.advance(1);

    expect(bench.listener.addresses).toEqual([[]]);
  });

  it("is kept while the source fails", () => {
    const bench = new GuardedBench({}, remembered(3));

    bench.source.fail();

    expect(bench.inUse).toBe(3);
  });

  it("is no longer vouched for from when nobody asked any more: maxStaleMs counts from there", async () => {
    const bench = new GuardedBench({ maxStaleMs: 60_000 }, remembered(3, 1_000));
    await bench.clock.advance(50_000);
    bench.source.fail();
    await bench.clock.advance(9_999);
    expect(bench.inUse).toBe(3);

    await bench.clock.advance(1);

    expect(bench.inUse).toBe(0);
  });

  it("that is older than maxStaleMs goes with the first failure, after that was told", async () => {
    const bench = new GuardedBench({ maxStaleMs: 60_000 }, remembered(3, -600_000));

    bench.source.fail();
    expect(bench.inUse).toBe(3);
    await bench.clock.advance(0);

    expect(bench.listener.order).toEqual(["error", "0", "error"]);
  });

  it("is what the next one gets, with how long it has not been vouched for", async () => {
    const bench = GuardedBench.using(3);
    expect(bench.guarded.memory?.sinceMs).toBe(bench.clock.now());
    const failedAt = bench.clock.now();
    bench.source.fail();
    await bench.clock.advance(5_000);
    bench.source.fail();

    expect(bench.guarded.memory).toEqual({
      endpoints: numbered(3).map((address) => ({ address })),
      sinceMs: failedAt,
    });
  });

  it("is none where nothing was in use", () => {
    const bench = new GuardedBench({ emptyGraceMs: 0 });
    expect(bench.guarded.memory).toBe(null);

    bench.source.answer("a:1");
    bench.source.answer();

    expect(bench.guarded.current).toEqual([]);
    expect(bench.guarded.memory).toBe(null);
  });
});

describe("the end", () => {
  it.each<[string, (bench: GuardedBench) => void]>([
    ["before any answer", () => {}],
    ["while a loss is held", ({ source }) => sayInTurn(source, 9, 0)],
    ["while it fails", ({ source }) => sayInTurn(source, 1, "error")],
  ])("%s leaves no timer, and nothing is heard of what the source says after it", async (_when, before) => {
    const bench = new GuardedBench({ maxStaleMs: 60_000 });
    before(bench);
    const events = bench.listener.order.length;
    const stats = bench.guarded.stats();

    bench.guarded.close();
    expect(bench.clock.pendingTimers).toBe(0);
    bench.source.answer("late:1");
    bench.source.fail();
    await bench.clock.advance(600_000);

    expect(bench.source.isClosed).toBe(true);
    expect(bench.source.refreshes).toBe(0);
    expect(bench.listener.order).toHaveLength(events);
    expect(bench.guarded.stats()).toEqual({ ...stats, held: null });
  });

  it.each(["onEndpoints", "onError", "onHeld", "onProblem", "onAnswer"] as const)(
    "may come from inside %s",
    async (callback) => {
      const clock = new ManualClock();
      const source = new ScriptedSource();
      const guarded = new GuardedResolver(source, discoveryOptionsSchema.parse({ maxStaleMs: 60_000 }), {
        clock,
      });
      const told: string[] = [];
      const tell = (name: string) => () => {
        told.push(name);
        if (name === callback) guarded.close();
      };
      guarded.start({
        onEndpoints: tell("onEndpoints"),
        onError: tell("onError"),
        onHeld: tell("onHeld"),
        onProblem: tell("onProblem"),
        onAnswer: tell("onAnswer"),
      });

      source.answer(...numbered(9));
      source.answerWith("one is bad", "new:1");
      source.fail();
      source.answer();
      await clock.advance(600_000);

      expect(told.at(-1)).toBe(callback);
      expect(told.filter((name) => name === callback)).toHaveLength(1);
      expect(clock.pendingTimers).toBe(0);
    },
  );

  it("may come from inside the set that follows maxStaleMs", async () => {
    const bench = GuardedBench.using(2, { maxStaleMs: 1_000 });
    bench.listener.onEndpoints = () => bench.guarded.close();
    bench.source.fail();

    await bench.clock.advance(1_000);

    expect(bench.listener.messages).toEqual(["the registry is down"]);
  });

  it("refuses a second start, and a start after it", () => {
    const bench = new GuardedBench();
    expect(() => bench.guarded.start(bench.listener)).toThrow("test:///source has been started");

    bench.guarded.close();
    bench.guarded.close();

    expect(() => bench.guarded.start(bench.listener)).toThrow("test:///source is closed");
  });
});

it("hands refresh() and isWatching through", async () => {
  const bench = new GuardedBench();
  expect(bench.guarded.isWatching).toBe(false);

  bench.source.isWatching = true;
  bench.guarded.refresh();
  await settle();

  expect([bench.guarded.isWatching, bench.source.refreshes]).toEqual([true, 1]);
});

it("a listener that throws does not make the next answer a repetition", () => {
  const bench = new GuardedBench();
  bench.listener.onEndpoints = () => {
    throw new Error("not today");
  };

  expect(() => bench.source.answer("a:1")).toThrow("not today");

  expect(bench.guarded.current).toEqual([{ address: "a:1" }]);
});
