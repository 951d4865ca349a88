import { describe, expect, it } from "vitest";
import type { HostLookup } from "../../../src/core/index.js";
import { ManualClock } from "../../support/manual-clock.js";
import { RecordingListener } from "../recording-listener.js";
import { ScriptedLookup } from "./scripted-lookup.js";
import { DOWN, makeDnsResolver, NEW, OLD, startedDnsResolver } from "./started-dns-resolver.js";

describe("DnsResolver: failures", () => {
  it("reports a failed lookup and tries again with backoff until there is an answer", async () => {
    const { clock, listener, names } = await startedDnsResolver(new ScriptedLookup(DOWN, DOWN, OLD));

    await clock.advance(999);
    const askedBeforeFirst = names.asked.length;
    await clock.advance(1 + 1_599);
    const askedBeforeSecond = names.asked.length;
    await clock.advance(1);

    expect(askedBeforeFirst).toBe(1);
    expect(askedBeforeSecond).toBe(2);
    expect(listener.errors).toEqual([DOWN, DOWN]);
    expect(listener.addresses).toEqual([["10.0.0.1:50051"]]);
  });

  it("keeps at a refresh that failed, since whoever asked still has no answer", async () => {
    const { clock, listener, resolver } = await startedDnsResolver(new ScriptedLookup(OLD, DOWN, NEW));

    resolver.refresh();
    await clock.advance(1_000 + 1_000);

    expect(listener.errors).toEqual([DOWN]);
    expect(listener.addresses.at(-1)).toEqual(["10.0.0.2:50051"]);
  });

  it("starts the backoff afresh after an answer", async () => {
    const { clock, resolver, names } = await startedDnsResolver(
      new ScriptedLookup(DOWN, DOWN, OLD, DOWN, OLD),
    );
    await clock.advance(1_000 + 1_600);

    resolver.refresh();
    await clock.advance(1_000 + 1_000);

    expect(names.asked).toHaveLength(5);
  });

  it("does not let refreshes shorten the backoff", async () => {
    const { clock, resolver, names } = await startedDnsResolver(new ScriptedLookup(DOWN, OLD));

    for (let step = 0; step < 9; step++) {
      resolver.refresh();
      await clock.advance(100);
    }

    expect(names.asked).toHaveLength(1);
  });

  it("leaves no timer that keeps the process alive, neither looking nor waiting", async () => {
    const { clock, names } = await startedDnsResolver(new ScriptedLookup());

    const whileLooking = clock.keepAliveTimers;
    names.answer(1, DOWN);
    await clock.advance(0);

    expect(whileLooking).toBe(0);
    expect(clock.pendingTimers).toBe(1);
    expect(clock.keepAliveTimers).toBe(0);
  });

  it.each([
    [
      "throws",
      () => {
        throw DOWN;
      },
      DOWN.message,
    ],
    ["rejects with no Error", () => Promise.reject("EAGAIN"), 'the lookup of "users" failed: EAGAIN'],
    ["answers nonsense", async () => ["?"], 'the lookup of "users" answered "?", which is no IP address'],
  ])("reports a lookup function that %s as an error", async (_, lookup: HostLookup, message) => {
    const clock = new ManualClock();
    const listener = new RecordingListener();

    makeDnsResolver(lookup, clock).start(listener);
    await clock.advance(0);

    expect(listener.messages).toEqual([message]);
  });
});

describe("DnsResolver: lookups that hang", () => {
  it("gives up on a lookup that never answers and tries again", async () => {
    const { clock, listener, names } = await startedDnsResolver(new ScriptedLookup(), {
      lookupTimeoutMs: 2_000,
    });

    await clock.advance(1_999);
    const errorsEarly = listener.errors.length;
    await clock.advance(1 + 1_000);

    expect(errorsEarly).toBe(0);
    expect(listener.messages).toEqual(['the lookup of "users" gave no answer within 2000 ms']);
    expect(names.asked).toHaveLength(2);
  });

  it("takes an answer that comes just after its timeout, and needs no further lookup", async () => {
    const { clock, listener, names } = await startedDnsResolver(new ScriptedLookup());
    await clock.advance(5_000);

    names.answer(1, OLD);
    await clock.advance(60_000);

    expect(listener.addresses).toEqual([["10.0.0.1:50051"]]);
    expect(names.asked).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it("takes a late answer while a newer lookup is under way, and then the newer one", async () => {
    const { clock, listener, names } = await startedDnsResolver(new ScriptedLookup());
    await clock.advance(5_000 + 1_000);

    names.answer(1, OLD);
    await clock.advance(0);
    names.answer(2, NEW);
    await clock.advance(0);

    expect(listener.addresses).toEqual([["10.0.0.1:50051"], ["10.0.0.2:50051"]]);
  });

  it("never lets an older answer replace a newer one", async () => {
    const { clock, listener, names } = await startedDnsResolver(new ScriptedLookup());
    await clock.advance(5_000 + 1_000);

    names.answer(2, NEW);
    await clock.advance(0);
    names.answer(1, OLD);
    await clock.advance(0);

    expect(listener.addresses).toEqual([["10.0.0.2:50051"]]);
  });

  it("counts a lookup once that fails after its timeout", async () => {
    const { clock, listener, names } = await startedDnsResolver(new ScriptedLookup());
    await clock.advance(5_000);

    names.answer(1, DOWN);
    await clock.advance(0);

    expect(listener.errors).toHaveLength(1);
  });

  it("keeps waiting for the newer lookup when a late answer comes, so that two never run", async () => {
    const { clock, names, resolver } = await startedDnsResolver(new ScriptedLookup());
    await clock.advance(5_000 + 1_000);

    names.answer(1, OLD);
    await clock.advance(0);
    resolver.refresh();
    await clock.advance(2_000);

    expect(names.asked).toHaveLength(2);
  });

  it("does not blame the newer lookup for the late failure of an older one", async () => {
    const { clock, listener, names } = await startedDnsResolver(new ScriptedLookup());
    await clock.advance(5_000 + 1_000);

    names.answer(1, DOWN);
    await clock.advance(0);

    expect(listener.messages).toEqual(['the lookup of "users" gave no answer within 5000 ms']);
  });

  it("stays closed when a lookup ends after close", async () => {
    const { clock, listener, names, resolver } = await startedDnsResolver(new ScriptedLookup());

    resolver.close();
    const timersLeft = clock.pendingTimers;
    names.answer(1, OLD);
    await clock.advance(60_000);
    resolver.refresh();
    await clock.advance(60_000);

    expect(timersLeft).toBe(0);
    expect(listener.events).toBe(0);
    expect(names.asked).toHaveLength(1);
  });
});
