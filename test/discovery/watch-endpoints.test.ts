import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { watchEndpoints } from "../../src/call/watch-endpoints.js";
import type { Endpoint } from "../../src/core/index.js";
import type { WatchOptions } from "../../src/discovery/index.js";
import { configErrorOf } from "../support/config-error.js";
import { listenerCounts } from "../support/leak-check.js";
import { ManualClock, settle } from "../support/manual-clock.js";
import { ScriptedScheme } from "./scripted-scheme.js";

let scheme: ScriptedScheme;
beforeEach(() => {
  scheme = new ScriptedScheme("watched");
});
afterEach(() => scheme.dispose());

/** One loop through `watched:///users`. */
function watch(options: WatchOptions = {}) {
  const clock = new ManualClock();
  const iterator = watchEndpoints(scheme.target("users"), options, { clock })[Symbol.asyncIterator]();
  return { clock, iterator, source: () => scheme.source("users") };
}

function addressesOf(result: IteratorResult<readonly Endpoint[]>): string[] | "over" {
  return result.done === true ? "over" : result.value.map(({ address }) => address);
}

describe("watching the endpoints of a target (E53)", () => {
  it("asks nobody before somebody asks for the first set", async () => {
    const { iterator, clock } = watch();

    await clock.advance(60_000);
    const before = scheme.made.length;
    void iterator.next();

    expect([before, scheme.made.length]).toEqual([0, 1]);
  });

  it("gives the first set, and each that follows", async () => {
    const { iterator, source } = watch();
    const first = iterator.next();
    source().answer("a:1");
    const second = first.then(() => iterator.next());
    await first;
    source().answer("a:1", "b:2");

    expect([addressesOf(await first), addressesOf(await second)]).toEqual([["a:1"], ["a:1", "b:2"]]);
  });

  it("is a loop that ends when it is left, with its resolver closed", async () => {
    const clock = new ManualClock();
    scheme.onMade = (source) => queueMicrotask(() => source.answer("a:1"));
    const seen: string[] = [];

    for await (const endpoints of watchEndpoints(scheme.target("users"), {}, { clock })) {
      seen.push(...endpoints.map(({ address }) => address));
      break;
    }

    expect(seen).toEqual(["a:1"]);
    expect([scheme.source("users").isClosed, clock.pendingTimers]).toEqual([true, 0]);
  });

  it("gives who is slow the newest set, and not the ones before", async () => {
    const { iterator, source } = watch();
    const first = iterator.next();
    for (const last of ["b:1", "b:2", "b:3"]) source().answer("a:1", last);
    await first;
    await settle();

    const next = await iterator.next();

    expect(addressesOf(await first)).toEqual(["a:1", "b:1"]);
    expect(addressesOf(next)).toEqual(["a:1", "b:3"]);
  });

  it("gives a set once", async () => {
    const { iterator, source } = watch();
    const first = iterator.next();
    source().answer("a:1");
    source().answer("a:1", "b:2");
    await first;
    await iterator.next();
    let isAnswered = false;
    void iterator.next().then(() => {
      isAnswered = true;
    });

    source().answer("a:1", "b:2");
    await settle();

    expect(isAnswered).toBe(false);
  });

  it("serves several who wait in their order", async () => {
    const { iterator, source } = watch();
    const waiting = [iterator.next(), iterator.next()];

    source().answer("a:1");
    source().answer("a:1", "b:2");

    expect((await Promise.all(waiting)).map(addressesOf)).toEqual([["a:1"], ["a:1", "b:2"]]);
  });

  it("stands behind the guards of a channel, so that an empty set is meant", async () => {
    const { iterator, source, clock } = watch({ discovery: { emptyGraceMs: 1_000 } });
    const first = iterator.next();
    source().answer("a:1");
    await first;
    source().isWatching = true;
    const second = iterator.next();
    let isAnswered = false;
    void second.then(() => {
      isAnswered = true;
    });

    source().answer();
    await clock.advance(999);
    const early = isAnswered;
    await clock.advance(1);

    expect([early, addressesOf(await second)]).toEqual([false, []]);
  });

  it("goes on after a look-up that failed, before the first set and after it", async () => {
    const errors: string[] = [];
    const { iterator, source } = watch({
      onError: ({ message }, from) => errors.push(`${from}: ${message}`),
    });
    const first = iterator.next();
    source().fail("down");
    source().answer("a:1");
    await first;
    source().fail("down again");
    source().answer("b:2", "a:1");

    expect(addressesOf(await iterator.next())).toEqual(["b:2", "a:1"]);
    expect(errors).toEqual(["watched:///users: down", "watched:///users: down again"]);
  });

  it("is not ended by a listener that throws", async () => {
    const onError = () => {
      throw new Error("mine");
    };
    const { iterator, source } = watch({ onError });
    const first = iterator.next();

    source().fail();
    source().answer("a:1");

    expect(addressesOf(await first)).toEqual(["a:1"]);
  });

  it("follows the targets of a list together", async () => {
    const targets = [scheme.target("first"), scheme.target("second")];
    const iterator = watchEndpoints(targets, {}, { clock: new ManualClock() })[Symbol.asyncIterator]();
    const first = iterator.next();

    scheme.source("first").answer("a:1");
    scheme.source("second").answer("b:2");

    expect(addressesOf(await first)).toEqual(["a:1"]);
    expect(await iterator.next()).toMatchObject({
      value: [{ address: "a:1" }, { address: "b:2", priority: 1 }],
    });
    await iterator.return?.();
  });

  it("keeps the process alive while somebody waits for a set, and not else", async () => {
    const { iterator, source, clock } = watch();
    const alive = [clock.keepAliveTimers];

    const first = iterator.next();
    alive.push(clock.keepAliveTimers);
    source().answer("a:1");
    await first;
    alive.push(clock.keepAliveTimers);

    expect(alive).toEqual([0, 1, 0]);
  });
});

describe("the end of a watch", () => {
  it("comes with return(), for who waits as well, and leaves nothing", async () => {
    const { iterator, source, clock } = watch();
    const waiting = iterator.next();

    const returned = await iterator.return?.();

    expect([addressesOf(await waiting), returned?.done]).toEqual(["over", true]);
    expect(addressesOf(await iterator.next())).toBe("over");
    expect([source().isClosed, clock.pendingTimers]).toEqual([true, 0]);
  });

  it("comes with the signal, without an error, and forgets the signal", async () => {
    const controller = new AbortController();
    const { iterator, source, clock } = watch({ signal: controller.signal });
    const waiting = iterator.next();

    controller.abort();

    expect(addressesOf(await waiting)).toBe("over");
    expect([source().isClosed, clock.pendingTimers]).toEqual([true, 0]);
    expect(listenerCounts(controller.signal)).toEqual({ abort: 0 });
  });

  it("leaves no listener on a signal that was not used", async () => {
    const { signal } = new AbortController();
    const { iterator } = watch({ signal });
    void iterator.next();

    await iterator.return?.();

    expect(listenerCounts(signal)).toEqual({ abort: 0 });
  });

  it("is there from the beginning where the signal was aborted before", async () => {
    const { iterator } = watch({ signal: AbortSignal.abort() });

    expect(addressesOf(await iterator.next())).toBe("over");
    expect(scheme.made).toEqual([]);
  });

  it("may come before the first question, and twice", async () => {
    const { iterator } = watch();

    await iterator.return?.();
    await iterator.return?.();

    expect(addressesOf(await iterator.next())).toBe("over");
    expect(scheme.made).toEqual([]);
  });

  it("hides a set that nobody has asked for", async () => {
    const { iterator, source } = watch();
    const first = iterator.next();
    source().answer("a:1");
    await first;
    source().answer("b:2");
    await settle();

    await iterator.return?.();

    expect(addressesOf(await iterator.next())).toBe("over");
  });
});

describe("a watch that cannot be made", () => {
  it.each<[unknown, object, string]>([
    ["nope:///x", {}, 'the target "nope:///x" has the unknown scheme "nope"'],
    [null, {}, "target is null; allowed: a string such as dns:///host:port, or a list of them"],
    [[], {}, "the list of targets is empty"],
    [
      "passthrough:///xds:///x",
      {},
      "passthrough:///xds:///x has no endpoints to watch, as grpc-js chooses its servers",
    ],
    ["a:1", { timeoutMs: 5 }, "timeoutMs is not a known key"],
    ["a:1", { discovery: { filePollMs: 0 } }, "discovery.filePollMs"],
    ["a:1", { signal: {} }, "signal"],
    ["a:1", { onError: "log" }, "allowed: a function"],
  ])("of %j with %j says why, at once", (target, options, problem) => {
    const error = configErrorOf(() => watchEndpoints(target as string, options));

    expect(error.message).toContain("watchEndpoints: 1 problem: ");
    expect(error.message).toContain(problem);
  });

  it("names the problems of target and options together", () => {
    const error = configErrorOf(() => watchEndpoints("", { discovery: 5 } as never));

    expect(error.message).toContain("2 problems");
  });
});
