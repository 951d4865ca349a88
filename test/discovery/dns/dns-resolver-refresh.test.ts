import { describe, expect, it } from "vitest";
import { ScriptedLookup } from "./scripted-lookup.js";
import { ScriptedQueries } from "./scripted-queries.js";
import {
  HOST_TARGET,
  NEW,
  OLD,
  SERVICE_TARGET,
  startedDnsResolver,
  startedWithServers,
} from "./started-dns-resolver.js";

const AN_HOUR_MS = 3_600_000;
const SERVICE = "_grpc._tcp.users.test";

describe("DnsResolver: while all is well", () => {
  it("notices by itself that a service has moved", async () => {
    const { clock, listener } = await startedDnsResolver(new ScriptedLookup(OLD, NEW), { refreshMs: 30_000 });

    await clock.advance(29_999);
    const before = listener.sets.length;
    await clock.advance(1);

    expect(before).toBe(1);
    expect(listener.addresses.at(-1)).toEqual(["10.0.0.2:50051"]);
  });

  it("notices by itself that a service has grown", async () => {
    const { clock, listener } = await startedDnsResolver(new ScriptedLookup(OLD, [...OLD, ...NEW]), {
      refreshMs: 30_000,
    });

    await clock.advance(30_000);

    expect(listener.addresses.at(-1)).toEqual(["10.0.0.1:50051", "10.0.0.2:50051"]);
  });

  it("asks 120 times an hour by default, for each family", async () => {
    const queries = new ScriptedQueries().a("users", OLD, 3_600);

    const { clock } = await startedWithServers(queries, HOST_TARGET);
    await clock.advance(AN_HOUR_MS);

    expect([queries.count("A users"), queries.count("AAAA users")]).toEqual([121, 121]);
  });

  it("asks when the TTL of its records is over, where that is sooner", async () => {
    const queries = new ScriptedQueries().a("users", OLD, 10);

    const { clock } = await startedWithServers(queries, HOST_TARGET);
    await clock.advance(10_499);
    const before = queries.count("A users");
    await clock.advance(1);

    expect(before).toBe(1);
    expect(queries.count("A users")).toBe(2);
  });

  it("asks at most once a second where records may not be kept at all", async () => {
    const queries = new ScriptedQueries().a("users", OLD, 0).aaaa("users", ["fd00::1"], 0);

    const { clock } = await startedWithServers(queries, HOST_TARGET, { minIntervalMs: 0 });
    await clock.advance(60_000);

    expect(queries.count("A users")).toBe(1 + Math.floor(60_000 / 1_050));
  });

  it("asks an SRV name and its hosts at the same pace", async () => {
    const queries = new ScriptedQueries().srv(SERVICE, { name: "a.test" }, { name: "b.test" });
    queries.a("a.test", OLD, 3_600).a("b.test", NEW, 15);

    const { clock } = await startedWithServers(queries, SERVICE_TARGET);
    await clock.advance(60_000);

    expect([`SRV ${SERVICE}`, "A a.test", "AAAA b.test"].map((name) => queries.count(name))).toEqual([
      4, 4, 4,
    ]);
  });

  it("does not ask twice where a refresh comes before its own time", async () => {
    const { clock, names, resolver } = await startedDnsResolver(ScriptedLookup.always(OLD), {
      refreshMs: 30_000,
    });
    await clock.advance(20_000);

    resolver.refresh();
    await clock.advance(29_999);
    const before = names.asked.length;
    await clock.advance(1);

    expect(before).toBe(2);
    expect(names.asked).toHaveLength(3);
  });

  it("asks no more than once a second, however many refreshes are wanted besides", async () => {
    const queries = new ScriptedQueries().a("users", OLD, 0);
    const { clock, resolver } = await startedWithServers(queries, HOST_TARGET);

    for (let step = 0; step < 600; step++) {
      resolver.refresh();
      await clock.advance(100);
    }

    expect(queries.count("A users")).toBeLessThanOrEqual(61);
  });

  it("leaves one timer, which does not keep the process alive", async () => {
    const { clock } = await startedDnsResolver(ScriptedLookup.always(OLD), { refreshMs: 30_000 });

    expect([clock.pendingTimers, clock.keepAliveTimers]).toEqual([1, 0]);
  });

  it("holds no timer and asks nothing after close", async () => {
    const { clock, names, resolver } = await startedDnsResolver(ScriptedLookup.always(OLD), {
      refreshMs: 30_000,
    });

    resolver.close();
    const timers = clock.pendingTimers;
    await clock.advance(AN_HOUR_MS);

    expect([timers, names.asked.length]).toEqual([0, 1]);
  });
});

describe("DnsResolver: servers of its own", () => {
  it("asks them and not the system, and starts with IPv4", async () => {
    const queries = new ScriptedQueries().a("users", ["10.0.0.1", "10.0.0.2"]).aaaa("users", ["fd00::1"]);

    const { listener } = await startedWithServers(queries, HOST_TARGET);

    expect(listener.addresses).toEqual([["10.0.0.1:50051", "[fd00::1]:50051", "10.0.0.2:50051"]]);
    expect(listener.sets[0]?.[0]).toEqual({ address: "10.0.0.1:50051", serverName: "users:50051" });
  });

  it("keeps the pace of an answer where one family fails", async () => {
    const queries = new ScriptedQueries().a("users", OLD).fail("AAAA users", "ESERVFAIL");

    const { clock, listener } = await startedWithServers(queries, HOST_TARGET);
    await clock.advance(60_000);

    expect(listener.errors).toEqual([]);
    expect(listener.addresses).toEqual([["10.0.0.1:50051"], ["10.0.0.1:50051"], ["10.0.0.1:50051"]]);
  });

  it.each(["ENOTFOUND", "ENODATA", "ESERVFAIL", "ETIMEOUT"])(
    "takes %s for a failure, not for an empty answer, and backs off",
    async (code) => {
      const queries = new ScriptedQueries().fail("A users", code).fail("AAAA users", code);

      const { clock, listener } = await startedWithServers(queries, HOST_TARGET);
      await clock.advance(1_000 + 1_600 + 2_560);

      expect(listener.sets).toEqual([]);
      expect(listener.errors).toHaveLength(4);
      expect(listener.messages[0]).toContain(code);
    },
  );

  it("takes a service that is not available for an empty answer", async () => {
    const queries = new ScriptedQueries().srv(SERVICE, { name: "" });

    const { listener } = await startedWithServers(queries, SERVICE_TARGET);

    expect(listener.sets).toEqual([[]]);
    expect(listener.errors).toEqual([]);
  });

  it("ends what is under way when it is closed", async () => {
    const queries = new ScriptedQueries().hold();
    const { resolver } = await startedWithServers(queries, HOST_TARGET);

    resolver.close();

    expect(queries.isCancelled).toBe(true);
  });
});
