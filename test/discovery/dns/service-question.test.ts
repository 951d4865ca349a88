import { describe, expect, it } from "vitest";
import { discoveryOptionsSchema } from "../../../src/discovery/discovery-options.js";
import { createQuestion } from "../../../src/discovery/dns/create-question.js";
import type { DnsQuestion } from "../../../src/discovery/dns/dns-answer.js";
import { ManualClock, settle } from "../../support/manual-clock.js";
import { dnsError, ScriptedQueries } from "./scripted-queries.js";
import { SERVICE_TARGET } from "./started-dns-resolver.js";

const NAME = "_grpc._tcp.users.test";

function asking({ servers = ["10.9.9.9:53"], env = {}, lookup = noLookup } = {}) {
  const queries = new ScriptedQueries();
  const clock = new ManualClock();
  const deps = { clock, env, lookup };
  const options = discoveryOptionsSchema.parse({});
  const question = createQuestion({ ...SERVICE_TARGET, servers }, deps, options, () => queries);
  const addresses = async () => (await question.ask()).endpoints.map(({ address }) => address);
  return { queries, question, addresses };
}

async function noLookup(host: string): Promise<readonly string[]> {
  throw new Error(`the system was asked for ${host}`);
}

describe("ServiceQuestion", () => {
  it("brings the servers of the records, with priority, weight, port and name", async () => {
    const { queries, question } = asking();
    queries.srv(
      NAME,
      { name: "b.test.", port: 2, priority: 1, weight: 7 },
      { name: "a.test", port: 1, weight: 4 },
    );
    queries.a("a.test", ["10.0.0.1"], 9).aaaa("a.test", ["fd00::1"], 5).a("b.test", ["10.0.0.2"]);

    const answer = await question.ask();

    expect(answer).toEqual({
      endpoints: [
        { address: "10.0.0.1:1", serverName: "a.test:1", priority: 0, weight: 2 },
        { address: "[fd00::1]:1", serverName: "a.test:1", priority: 0, weight: 2 },
        { address: "10.0.0.2:2", serverName: "b.test:2", priority: 1, weight: 7 },
      ],
      ttlMs: 5_000,
    });
  });

  it("looks a host up once that several records name", async () => {
    const { queries, addresses } = asking();
    queries.srv(NAME, { name: "a.test", port: 1 }, { name: "A.test.", port: 2 }).a("a.test", ["10.0.0.1"]);

    expect(await addresses()).toEqual(["10.0.0.1:1", "10.0.0.1:2"]);
    expect(queries.asked).toEqual([`SRV ${NAME}`, "A a.test", "AAAA a.test"]);
  });

  it("counts a machine with two names once, by the record that is preferred", async () => {
    const { queries, question } = asking();
    queries.srv(NAME, { name: "b.test", priority: 2 }, { name: "a.test", priority: 1 });
    queries.a("a.test", ["10.0.0.1"]).a("b.test", ["10.0.0.1"]);

    const { endpoints } = await question.ask();

    expect(endpoints).toEqual([
      { address: "10.0.0.1:50051", serverName: "a.test:50051", priority: 1, weight: 1 },
    ]);
  });

  it("answers without endpoints where the record says that there is no service", async () => {
    const { queries, question } = asking();
    queries.srv(NAME, { name: "" });

    expect(await question.ask()).toEqual({ endpoints: [], ttlMs: null });
  });

  it("leaves the names of the records to the system where the target names no servers", async () => {
    const { queries, addresses } = asking({ servers: [], lookup: async () => ["10.0.0.7"] });
    queries.srv(NAME, { name: "a.test" });

    expect(await addresses()).toEqual(["10.0.0.7:50051"]);
    expect(queries.asked).toEqual([`SRV ${NAME}`]);
  });

  it("leaves a name to the proxy that carries its connections", async () => {
    const { queries, question } = asking({ env: { http_proxy: "http://proxy:3128", no_proxy: "b.test" } });
    queries.srv(NAME, { name: "a.test" }, { name: "b.test" }).a("b.test", ["10.0.0.2"]);

    const { endpoints } = await question.ask();

    expect(endpoints).toMatchObject([
      { address: "a.test:50051", isProxied: true },
      { address: "10.0.0.2:50051" },
    ]);
    expect(queries.count("A a.test")).toBe(0);
  });
});

describe("ServiceQuestion: hosts that cannot be looked up", () => {
  it("leaves one out that was never known, and takes the others", async () => {
    const { queries, addresses } = asking();
    queries.srv(NAME, { name: "a.test" }, { name: "b.test" }).a("b.test", ["10.0.0.2"]);
    queries.fail("A a.test", "ESERVFAIL").fail("AAAA a.test", "ESERVFAIL");

    expect(await addresses()).toEqual(["10.0.0.2:50051"]);
  });

  it("keeps the last known addresses of one, with what its record says now", async () => {
    const { queries, question } = asking();
    queries.srv(NAME, { name: "a.test", weight: 1 }, { name: "b.test", weight: 1 });
    queries.a("a.test", ["10.0.0.1"]).a("b.test", ["10.0.0.2"]);
    await question.ask();

    queries.srv(NAME, { name: "a.test", weight: 5 }, { name: "b.test", weight: 1 });
    queries.fail("A a.test", "ESERVFAIL").fail("AAAA a.test", "ETIMEOUT");
    const { endpoints } = await question.ask();

    expect(endpoints).toMatchObject([
      { address: "10.0.0.1:50051", weight: 5 },
      { address: "10.0.0.2:50051", weight: 1 },
    ]);
  });

  it("drops one whose name does not exist any more", async () => {
    const { queries, question, addresses } = asking();
    queries
      .srv(NAME, { name: "a.test" }, { name: "b.test" })
      .a("a.test", ["10.0.0.1"])
      .a("b.test", ["10.0.0.2"]);
    await question.ask();

    queries.fail("A a.test", "ENOTFOUND");

    expect(await addresses()).toEqual(["10.0.0.2:50051"]);
  });

  it("forgets one that the records left out in between", async () => {
    const { queries, question, addresses } = asking();
    const both = [{ name: "a.test" }, { name: "b.test" }] as const;
    queries
      .srv(NAME, ...both)
      .a("a.test", ["10.0.0.1"])
      .a("b.test", ["10.0.0.2"]);
    await question.ask();
    queries.srv(NAME, { name: "b.test" });
    await question.ask();

    queries.srv(NAME, ...both).fail("A a.test", "ESERVFAIL");

    expect(await addresses()).toEqual(["10.0.0.2:50051"]);
  });

  it("fails when none can be looked up, by the first reason", async () => {
    const { queries, question } = asking();
    queries.srv(NAME, { name: "a.test" }, { name: "b.test" }).a("a.test", ["10.0.0.1"]);
    await question.ask();

    for (const name of ["A a", "AAAA a", "A b", "AAAA b"]) queries.fail(`${name}.test`, "ETIMEOUT");

    await expect(question.ask()).rejects.toThrow(dnsError("ETIMEOUT"));
  });

  it.each([
    ["there are no such records", "ENOTFOUND"],
    ["the server fails", "ESERVFAIL"],
  ])("fails when %s", async (_, code) => {
    const { queries, question } = asking();
    queries.fail(`SRV ${NAME}`, code);

    await expect(question.ask()).rejects.toThrow(code);
  });

  it("fails when the records name no server that can be", async () => {
    const { queries, question } = asking();
    queries.srv(NAME, { name: "a.test", port: 0 });

    await expect(question.ask()).rejects.toThrow(`the SRV records of "${NAME}" name no server`);
  });
});

describe("ServiceQuestion: a service of many servers", () => {
  const many = Array.from({ length: 100 }, (_, host) => ({ name: `h${host}.test` }));

  function manyServers() {
    const bench = asking();
    bench.queries.srv(NAME, ...many);
    for (const [at, { name }] of many.entries()) bench.queries.a(name, [`10.0.0.${at}`]);
    return bench;
  }

  /** A look-up that has the records and waits for the first hosts. */
  function lookingUpHosts(queries: ScriptedQueries, question: DnsQuestion): Promise<unknown> {
    queries.hold();
    const answer = question.ask().catch(String);
    queries.release();
    queries.hold();
    return answer;
  }

  it("looks up sixteen hosts at a time, both families, until it has all", async () => {
    const { queries, addresses } = manyServers();

    expect(await addresses()).toHaveLength(100);
    expect(queries.mostPending).toBe(32);
  });

  it("asks nothing more when it is cancelled", async () => {
    const { queries, question } = manyServers();
    const answer = lookingUpHosts(queries, question);
    await settle();

    question.cancel();
    queries.release();
    const said = await answer;

    expect(queries.isCancelled).toBe(true);
    expect(queries.asked).toHaveLength(1 + 32);
    expect(said).toContain("was given up");
  });

  it("gives a look-up up when two newer ones have begun, so that slow servers are not asked more and more", async () => {
    const { queries, question } = manyServers();
    const first = lookingUpHosts(queries, question);
    await settle();

    const newer = [question.ask(), question.ask()];
    queries.release();

    expect(await first).toBe(`Error: the lookup of "${NAME}" was given up`);
    expect(await Promise.all(newer)).toHaveLength(2);
  });
});
