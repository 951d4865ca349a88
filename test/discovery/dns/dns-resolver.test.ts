import { describe, expect, it } from "vitest";
import { ManualClock } from "../../support/manual-clock.js";
import { resolverContract } from "../resolver-contract.js";
import { ScriptedLookup } from "./scripted-lookup.js";
import { makeDnsResolver, NEW, OLD, startedDnsResolver } from "./started-dns-resolver.js";

resolverContract("dns", () => {
  const clock = new ManualClock();
  const names = ScriptedLookup.always(OLD);
  return { resolver: makeDnsResolver(names.lookup, clock), clock, questions: () => names.asked.length };
});

describe("DnsResolver: answers", () => {
  it("asks for the host and reports its addresses with port and server name", async () => {
    const { listener, names } = await startedDnsResolver(new ScriptedLookup(["10.0.0.1", "fd00::1"]));

    expect(names.asked).toEqual(["users"]);
    expect(listener.sets).toEqual([
      [
        { address: "10.0.0.1:50051", serverName: "users:50051" },
        { address: "[fd00::1]:50051", serverName: "users:50051" },
      ],
    ]);
  });

  it("reports a moved service after a refresh", async () => {
    const { clock, listener, resolver } = await startedDnsResolver(new ScriptedLookup(OLD, NEW));

    resolver.refresh();
    await clock.advance(1_000);

    expect(listener.addresses).toEqual([["10.0.0.1:50051"], ["10.0.0.2:50051"]]);
  });

  it("reports an answer that says the same again, as it tells that the set still holds", async () => {
    const { clock, listener, resolver } = await startedDnsResolver(new ScriptedLookup(OLD, OLD));

    resolver.refresh();
    await clock.advance(1_000);

    expect(listener.addresses).toEqual([["10.0.0.1:50051"], ["10.0.0.1:50051"]]);
  });

  it("counts an empty answer as an error and keeps the endpoints it has (R112)", async () => {
    const { clock, listener, resolver } = await startedDnsResolver(new ScriptedLookup(OLD, []));

    resolver.refresh();
    await clock.advance(1_000);

    expect(listener.addresses).toEqual([["10.0.0.1:50051"]]);
    expect(listener.messages).toEqual(['the lookup of "users" answered without any address']);
  });
});

describe("DnsResolver: pace", () => {
  it("asks once and no more while nobody wants a refresh, where it is told so", async () => {
    const { clock, names } = await startedDnsResolver(ScriptedLookup.always(OLD));

    await clock.advance(3_600_000);

    expect(names.asked).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it("waits out the interval before it asks again", async () => {
    const { clock, resolver, names } = await startedDnsResolver(ScriptedLookup.always(OLD), {
      minIntervalMs: 700,
    });

    resolver.refresh();
    await clock.advance(699);
    const askedEarly = names.asked.length;
    await clock.advance(1);

    expect(askedEarly).toBe(1);
    expect(names.asked).toHaveLength(2);
  });

  it("asks at once when the interval is over", async () => {
    const { clock, resolver, names } = await startedDnsResolver(ScriptedLookup.always(OLD));
    await clock.advance(1_000);

    resolver.refresh();

    expect(names.asked).toHaveLength(2);
  });

  it("has one lookup under way at most, and one more later however many refreshes came meanwhile", async () => {
    const { clock, resolver, names } = await startedDnsResolver(new ScriptedLookup());

    for (let call = 0; call < 100; call++) resolver.refresh();
    const askedMeanwhile = names.asked.length;
    names.answer(1, OLD);
    await clock.advance(1_000);
    names.answer(2, OLD);
    await clock.advance(60_000);

    expect(askedMeanwhile).toBe(1);
    expect(names.asked).toHaveLength(2);
  });

  it("rests for the interval after a slow answer too, to spare a name server in trouble", async () => {
    const { clock, resolver, names } = await startedDnsResolver(new ScriptedLookup());

    resolver.refresh();
    await clock.advance(4_000);
    names.answer(1, OLD);
    await clock.advance(999);
    const askedEarly = names.asked.length;
    await clock.advance(1);

    expect(askedEarly).toBe(1);
    expect(names.asked).toHaveLength(2);
  });
});
