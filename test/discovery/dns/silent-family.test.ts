import { describe, expect, it } from "vitest";
import { ScriptedQueries } from "./scripted-queries.js";
import { HOST_TARGET, NEW, OLD, SERVICE_TARGET, startedWithServers } from "./started-dns-resolver.js";

const V4 = "10.0.0.1:50051";
const V6 = "[fd00::1]:50051";
const SERVICE = "_grpc._tcp.users.test";
const A_LOOKUP_MS = 30_000;

/** A server that knows both families of `users`, and drops the questions for one. */
function dropping(question: "A users" | "AAAA users"): ScriptedQueries {
  return new ScriptedQueries().a("users", OLD).aaaa("users", ["fd00::1"]).drop(question);
}

/** A server that drops every AAAA, and the SRV records of so many hosts. */
function serviceWithoutIpv6(count: number): ScriptedQueries {
  const queries = new ScriptedQueries();
  const names = Array.from({ length: count }, (_, host) => `h${host}.test`);
  queries.srv(SERVICE, ...names.map((name) => ({ name })));
  for (const [at, name] of names.entries()) queries.a(name, [`10.0.0.${at}`]).drop(`AAAA ${name}`);
  return queries;
}

describe("a family of addresses that is silent", () => {
  it.each([
    ["AAAA users", V4],
    ["A users", V6],
  ] as const)("holds the other one up for 200 ms and no longer: %s", async (question, address) => {
    const { clock, listener } = await startedWithServers(dropping(question), HOST_TARGET);

    await clock.advance(199);
    const before = listener.events;
    await clock.advance(1);

    expect(before).toBe(0);
    expect(listener.addresses).toEqual([[address]]);
  });

  it("is part of the answer when it comes within these 200 ms, at once", async () => {
    const queries = dropping("AAAA users");
    const { clock, listener } = await startedWithServers(queries, HOST_TARGET);
    await clock.advance(199);

    queries.answer("AAAA users");
    await clock.advance(0);

    expect(listener.addresses).toEqual([[V4, V6]]);
    expect(clock.pendingTimers).toBe(1);
  });

  it("is part of the next answer when it comes later", async () => {
    const queries = dropping("AAAA users");
    const { clock, listener } = await startedWithServers(queries, HOST_TARGET);
    await clock.advance(300);

    queries.answer("AAAA users");
    await clock.advance(0);
    const afterTheLateOne = listener.events;
    await clock.advance(A_LOOKUP_MS);

    expect(afterTheLateOne).toBe(1);
    expect(listener.addresses).toEqual([[V4], [V4, V6]]);
  });

  it("is not waited for at the next look-ups, so that a change is used at once", async () => {
    const queries = dropping("AAAA users");
    const { clock, listener } = await startedWithServers(queries, HOST_TARGET);
    await clock.advance(200);

    queries.a("users", NEW);
    await clock.advance(A_LOOKUP_MS);

    expect(listener.addresses).toEqual([[V4], ["10.0.0.2:50051"]]);
  });

  it("is asked at each look-up, and waited for again after an answer in time", async () => {
    const queries = dropping("AAAA users").a("users", OLD, 10);
    const { clock, listener } = await startedWithServers(queries, HOST_TARGET);
    await clock.advance(200);
    queries.answer("AAAA users");
    queries.fail("AAAA users", "ETIMEOUT");
    await clock.advance(10_500 * 3);
    const asked = [queries.count("A users"), queries.count("AAAA users")];
    queries.aaaa("users", ["fd00::1"]);
    await clock.advance(10_500);
    const before = listener.events;

    queries.drop("AAAA users");
    await clock.advance(10_500);
    const waiting = listener.events;
    await clock.advance(200);

    expect(asked).toEqual([4, 4]);
    expect([before, waiting, listener.events]).toEqual([5, 5, 6]);
  });

  it("is not waited for again after a question that has failed for want of an answer", async () => {
    const queries = dropping("AAAA users");
    const { clock, listener } = await startedWithServers(queries, HOST_TARGET);
    await clock.advance(200);
    queries.answer("AAAA users");
    queries.fail("AAAA users", "ETIMEOUT").drop("A users");
    await clock.advance(A_LOOKUP_MS);
    queries.answer("A users");
    await clock.advance(0);

    queries.drop("AAAA users");
    await clock.advance(A_LOOKUP_MS);

    expect(listener.events).toBe(3);
  });

  it("is not waited for again after the answer to an old question", async () => {
    const queries = dropping("AAAA users");
    const { clock, listener } = await startedWithServers(queries, HOST_TARGET);
    await clock.advance(200 + A_LOOKUP_MS);
    queries.answer("AAAA users");
    await clock.advance(0);

    queries.drop("AAAA users");
    await clock.advance(A_LOOKUP_MS);

    expect(listener.addresses).toEqual([[V4], [V4], [V4, V6]]);
  });

  it("has one question under way at most, however often the host is looked up", async () => {
    const queries = dropping("AAAA users").a("users", OLD, 1);
    const { clock } = await startedWithServers(queries, HOST_TARGET);

    await clock.advance(60_000);

    expect(queries.count("A users")).toBeGreaterThan(50);
    expect(queries.count("AAAA users")).toBe(1);
  });

  it("is waited for as long as the look-up lasts where the other one has no address", async () => {
    const queries = dropping("AAAA users").fail("A users", "ENODATA");
    const { clock, listener } = await startedWithServers(queries, HOST_TARGET);
    await clock.advance(4_999);
    const before = listener.events;

    queries.answer("AAAA users");
    await clock.advance(0);

    expect(before).toBe(0);
    expect(listener.addresses).toEqual([[V6]]);
  });

  it("brings the answer by itself when it was given up and the other one fails", async () => {
    const queries = dropping("AAAA users");
    const { clock, listener } = await startedWithServers(queries, HOST_TARGET);
    await clock.advance(200);
    queries.fail("A users", "ENODATA");
    await clock.advance(A_LOOKUP_MS);

    queries.answer("AAAA users");
    await clock.advance(0);

    expect(listener.errors).toEqual([]);
    expect(listener.addresses).toEqual([[V4], [V6]]);
  });

  it("is waited for by a timer that does not keep the process alive, and none is left after close", async () => {
    const { clock, listener, resolver } = await startedWithServers(dropping("AAAA users"), HOST_TARGET);
    const during = [clock.pendingTimers, clock.keepAliveTimers];

    resolver.close();
    const after = clock.pendingTimers;
    await clock.advance(A_LOOKUP_MS);

    expect(during).toEqual([2, 0]);
    expect([after, clock.pendingTimers, listener.events]).toEqual([0, 0, 0]);
  });

  it("starts no timer where the other one answers after close", async () => {
    const queries = dropping("AAAA users").hold();
    const { clock, resolver } = await startedWithServers(queries, HOST_TARGET);

    resolver.close();
    queries.release();
    await clock.advance(0);

    expect(clock.pendingTimers).toBe(0);
  });
});

describe("a family of addresses that is silent for every host of a service", () => {
  it("costs 200 ms in all, not for each sixteen", async () => {
    const { clock, listener } = await startedWithServers(serviceWithoutIpv6(100), SERVICE_TARGET);

    await clock.advance(199);
    const before = listener.events;
    await clock.advance(1);

    expect(before).toBe(0);
    expect(listener.sets[0]).toHaveLength(100);
  });

  it("is waited for at the other hosts where it is silent for one only", async () => {
    const queries = serviceWithoutIpv6(2);
    queries.aaaa("h1.test", ["fd00::1"]).answer("AAAA h1.test");
    const { clock } = await startedWithServers(queries, SERVICE_TARGET);
    await clock.advance(A_LOOKUP_MS + 200);

    queries.drop("AAAA h1.test");
    await clock.advance(A_LOOKUP_MS);

    // One ends the look-up, the other one the wait.
    expect(clock.pendingTimers).toBe(2);
  });

  it("leaves no timer after close", async () => {
    const { clock, resolver } = await startedWithServers(serviceWithoutIpv6(20), SERVICE_TARGET);
    const during = [clock.pendingTimers, clock.keepAliveTimers];

    resolver.close();

    expect(during).toEqual([17, 0]);
    expect(clock.pendingTimers).toBe(0);
  });
});
