import { describe, expect, it } from "vitest";
import { CheckedResolver } from "../../src/discovery/checked-resolver.js";
import type { Resolver, ResolverListener } from "../../src/discovery/index.js";
import { ManualClock, settle } from "../support/manual-clock.js";
import { RecordingListener } from "./recording-listener.js";
import { resolverContract } from "./resolver-contract.js";

const TARGET = "mine:///users";

/** Somebody's resolver that does what a test says; a sound one keeps some of the contract only. */
class SomebodysResolver implements Resolver {
  readonly target = "whatever";
  isWatching = true;
  listener!: ResolverListener;
  starts = 0;
  refreshes = 0;
  closes = 0;

  start(listener: ResolverListener): void {
    this.starts++;
    this.listener = listener;
  }

  refresh(): void {
    this.refreshes++;
  }

  close(): void {
    this.closes++;
  }
}

/** As one is written who has to wait in start; each of its promises is rejected. */
class AsyncResolver extends SomebodysResolver {
  override async start(): Promise<void> {
    throw new Error("start was rejected");
  }

  override async refresh(): Promise<void> {
    throw new Error("refresh was rejected");
  }

  override async close(): Promise<void> {
    throw new Error("close was rejected");
  }
}

class PromptResolver extends SomebodysResolver {
  override start(listener: ResolverListener): void {
    super.start(listener);
    listener.onEndpoints([{ address: "a:1" }]);
  }
}

/** @param create makes the inner resolver, or throws */
async function started<R extends Resolver>(create: () => R) {
  const listener = new RecordingListener();
  let inner: R | undefined;
  const resolver = new CheckedResolver(TARGET, () => {
    inner = create();
    return inner;
  });
  resolver.start(listener);
  await settle();
  return { resolver, listener, inner: inner as R };
}

resolverContract("a resolver of one's own", () => {
  const inner = new PromptResolver();
  return {
    resolver: new CheckedResolver(TARGET, () => inner),
    clock: new ManualClock(),
    questions: () => inner.starts,
  };
});

describe("a resolver of one's own", () => {
  it("is made when it is started, and not before", () => {
    let made = 0;

    new CheckedResolver(TARGET, () => {
      made++;
      return new SomebodysResolver();
    });

    expect(made).toBe(0);
  });

  it("goes by the name of its target, whatever it calls itself", async () => {
    const { resolver } = await started(() => new SomebodysResolver());

    expect(resolver.target).toBe(TARGET);
  });

  it("may be made of async functions: one that is rejected is a failure, and none is left unhandled", async () => {
    const { resolver, listener } = await started(() => new AsyncResolver());

    resolver.refresh();
    await settle();
    resolver.close();
    await settle();

    expect(listener.messages).toEqual(["start was rejected", "refresh was rejected"]);
  });

  it("is heard in the order in which it speaks", async () => {
    const { inner, listener } = await started(() => new SomebodysResolver());
    const order: string[] = [];
    listener.onEndpoints = (endpoints) => void order.push(endpoints.map(({ address }) => address).join());
    listener.onError = ({ message }) => void order.push(message);

    inner.listener.onEndpoints([{ address: "a:1" }]);
    inner.listener.onError(new Error("gone"));
    inner.listener.onEndpoints([]);
    await settle();

    expect(order).toEqual(["a:1", "gone", ""]);
  });

  it("is not heard inside start(), refresh() or close(), even where it speaks there", async () => {
    const inner = new PromptResolver();
    inner.refresh = () => inner.listener.onEndpoints([{ address: "b:2" }]);
    inner.close = () => inner.listener.onEndpoints([{ address: "c:3" }]);
    const listener = new RecordingListener();
    const resolver = new CheckedResolver(TARGET, () => inner);
    const heardInside: number[] = [];
    const during = (act: () => void): void => {
      const before = listener.events;
      act();
      heardInside.push(listener.events - before);
    };

    during(() => resolver.start(listener));
    await settle();
    during(() => resolver.refresh());
    await settle();
    during(() => resolver.close());
    await settle();

    expect(heardInside).toEqual([0, 0, 0]);
    expect(listener.addresses).toEqual([["a:1"], ["b:2"]]);
  });

  it("may change its list afterwards without changing ours", async () => {
    const { inner, listener } = await started(() => new SomebodysResolver());
    const list = [{ address: "a:1" }];

    inner.listener.onEndpoints(list);
    list.push({ address: "b:2" });
    await settle();

    expect(listener.addresses).toEqual([["a:1"]]);
  });

  it("may give addresses in any spelling", async () => {
    const { inner, listener } = await started(() => new SomebodysResolver());

    inner.listener.onEndpoints(["A:1", { address: "[0:0::1]:2", weight: 2 }] as never);
    await settle();

    expect(listener.sets).toEqual([[{ address: "a:1" }, { address: "[::1]:2", weight: 2 }]]);
  });

  it.each([
    ["half of it was unreadable", "half of it was unreadable"],
    [undefined, null],
    [{}, null],
  ])("may tell with a set what of it was of no use: %j", async (problem, told) => {
    const { inner, listener } = await started(() => new SomebodysResolver());
    const heard: unknown[] = [];
    listener.onEndpoints = (_, said) => void heard.push(said);

    inner.listener.onEndpoints([{ address: "a:1" }], problem as never);
    await settle();

    expect(heard).toEqual([told]);
  });

  it("is asked whether it watches, and believed only when it says true", async () => {
    const { inner, resolver } = await started(() => new SomebodysResolver());
    const said = [resolver.isWatching];

    inner.isWatching = "yes" as never;
    said.push(resolver.isWatching);
    resolver.close();
    said.push(resolver.isWatching);

    expect(said).toEqual([true, false, false]);
  });

  it("is refreshed while it runs, and closed once", async () => {
    const { inner, resolver } = await started(() => new SomebodysResolver());

    resolver.refresh();
    resolver.close();
    resolver.refresh();
    resolver.close();

    expect([inner.refreshes, inner.closes]).toEqual([1, 1]);
  });

  it("is not heard after its end", async () => {
    const { inner, resolver, listener } = await started(() => new SomebodysResolver());
    inner.listener.onEndpoints([{ address: "a:1" }]);

    resolver.close();
    inner.listener.onEndpoints([{ address: "b:2" }]);
    inner.listener.onError(new Error("late"));
    await settle();

    expect(listener.events).toBe(0);
  });
});

describe("a resolver of one's own that is none", () => {
  const broken = new Error("no such key");
  const fail = (): never => {
    throw broken;
  };

  it("fails where its factory throws, and can be refreshed and closed all the same", async () => {
    const { resolver, listener } = await started(fail);

    resolver.refresh();
    resolver.close();

    expect(listener.messages).toEqual(["no such key"]);
  });

  it.each([null, undefined, 5, {}, { start: "now" }])(
    "fails where its factory makes %j of it",
    async (made) => {
      const { listener } = await started(() => made as never);

      expect(listener.messages).toEqual(["its factory made no resolver: it has no function start"]);
    },
  );

  it("fails where it throws in start(), which nobody else notices", async () => {
    const listener = new RecordingListener();
    const resolver = new CheckedResolver(TARGET, () =>
      Object.assign(new SomebodysResolver(), { start: fail }),
    );

    resolver.start(listener);
    const inside = listener.events;
    await settle();

    expect(inside).toBe(0);
    expect(listener.messages).toEqual(["no such key"]);
  });

  it("is heard if it comes to life after all", async () => {
    class LateResolver extends SomebodysResolver {
      override start(listener: ResolverListener): void {
        super.start(listener);
        throw broken;
      }
    }
    const { inner, listener } = await started(() => new LateResolver());

    inner.listener.onEndpoints([{ address: "a:1" }]);
    await settle();

    expect([listener.messages, listener.addresses]).toEqual([["no such key"], [["a:1"]]]);
  });

  it("fails where it throws in refresh(), each time", async () => {
    const { resolver, listener } = await started(() =>
      Object.assign(new SomebodysResolver(), { refresh: fail }),
    );

    resolver.refresh();
    resolver.refresh();
    await settle();

    expect(listener.messages).toEqual(["no such key", "no such key"]);
  });

  it("fails where it throws as it is asked whether it watches", async () => {
    const inner = new SomebodysResolver();
    Object.defineProperty(inner, "isWatching", { get: fail });
    const { resolver, listener } = await started(() => inner);

    const isWatching = resolver.isWatching;
    await settle();

    expect(isWatching).toBe(false);
    expect(listener.messages).toEqual(["no such key"]);
  });

  it("may throw in close(), which is its end anyhow", async () => {
    const { resolver, listener } = await started(() =>
      Object.assign(new SomebodysResolver(), { close: fail }),
    );

    expect(() => resolver.close()).not.toThrow();
    await settle();

    expect(listener.events).toBe(0);
  });

  it.each([
    [["a:1", "A:1"], 'endpoints.1, "A:1": a:1 is listed twice'],
    [["a:1", { address: "b:1", weight: 0 }], 'endpoints.1, "b:1": weight is 0'],
    [["a:1", null], "endpoints.1, null:"],
  ])("leaves out what is no endpoint in %j, and says so", async (given, problem) => {
    const { inner, listener } = await started(() => new SomebodysResolver());

    inner.listener.onEndpoints(given as never, "and one is new");
    await settle();

    expect(listener.addresses).toEqual([["a:1"]]);
    expect(listener.problems).toEqual([expect.stringContaining(`and one is new; ${problem}`)]);
    expect(listener.messages).toEqual([]);
  });

  it.each([
    [undefined, "the list is undefined; allowed: an array of addresses"],
    [[{ address: "a" }], 'endpoints.0, "a": the address "a" has no port; write host:port'],
    [[{ address: "a:1", weight: -1 }], 'endpoints.0, "a:1": weight'],
    [[null, "b"], "endpoints.0, null:"],
  ])("fails where it gives %j for a set", async (given, problem) => {
    const { inner, listener } = await started(() => new SomebodysResolver());

    inner.listener.onEndpoints(given as never);
    await settle();

    expect(listener.sets).toEqual([]);
    expect(listener.messages).toEqual([
      expect.stringContaining(`its resolver gave a set that is none: ${problem}`),
    ]);
  });

  it("fails where reading its set throws", async () => {
    const { inner, listener } = await started(() => new SomebodysResolver());

    inner.listener.onEndpoints([
      Object.defineProperty({}, "address", { enumerable: true, get: fail }),
    ] as never);
    await settle();

    expect(listener.messages).toEqual(["no such key"]);
  });

  it("is told of in a sentence of bearable length, however much is wrong", async () => {
    const { inner, listener } = await started(() => new SomebodysResolver());

    inner.listener.onEndpoints(Array.from({ length: 10_000 }, () => "x".repeat(1_000)) as never);
    await settle();

    expect(listener.messages[0]?.length).toBeLessThan(20_000);
    expect(listener.messages[0]).toContain("and 91 more");
  });

  it.each(["text", undefined, Object.create(null)])("may report what is no Error", async (reported) => {
    const { inner, listener } = await started(() => new SomebodysResolver());

    inner.listener.onError(reported as never);
    await settle();

    expect(listener.errors).toEqual([expect.any(Error)]);
  });
});
