import { afterEach, describe, expect, it } from "vitest";
import {
  type DnsQueries,
  nodeQueries,
  saysNone,
  saysNothing,
} from "../../../src/discovery/dns/dns-queries.js";
import { DnsServer } from "../../support/dns-server.js";

const servers: DnsServer[] = [];
const NAME = "users.test";

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function start(host?: string): Promise<DnsServer> {
  const server = await DnsServer.start(host);
  servers.push(server);
  return server;
}

/** One server, and the questions to it. */
async function asking(timeoutMs = 5_000): Promise<{ server: DnsServer; queries: DnsQueries }> {
  const server = await start();
  return { server, queries: nodeQueries([server.address], timeoutMs) };
}

function failure(answer: Promise<unknown>): Promise<unknown> {
  return answer.then(
    () => "answered",
    (error: unknown) => error,
  );
}

describe("nodeQueries", () => {
  it("brings the addresses of each family with their TTL", async () => {
    const { server, queries } = await asking();
    server.a(NAME, ["10.0.0.1", "10.0.0.2"], 7);
    server.aaaa(NAME, ["fd00::1"], 0);

    const answers = [await queries.ipv4(NAME), await queries.ipv6(NAME)];

    expect(answers).toEqual([
      [
        { address: "10.0.0.1", ttl: 7 },
        { address: "10.0.0.2", ttl: 7 },
      ],
      [{ address: "fd00::1", ttl: 0 }],
    ]);
  });

  it("brings the SRV records of a service", async () => {
    const { server, queries } = await asking();
    server.srv("_grpc._tcp.users.test", [{ target: "a.test", port: 5, priority: 1, weight: 2 }]);

    const records = await queries.services("_grpc._tcp.users.test");

    expect(records).toEqual([{ name: "a.test", port: 5, priority: 1, weight: 2 }]);
  });

  it("follows a CNAME, and tells the shorter TTL of the two", async () => {
    const { server, queries } = await asking();
    server.cname(NAME, "real.test", 5);
    server.a("real.test", ["10.0.0.1"], 60);

    expect(await queries.ipv4(NAME)).toEqual([{ address: "10.0.0.1", ttl: 5 }]);
  });

  it("asks again by TCP where an answer is too long for a datagram, and gets all of it", async () => {
    const { server, queries } = await asking();
    const addresses = Array.from({ length: 50 }, (_, host) => `10.0.1.${host}`);
    server.a(NAME, addresses);

    const records = await queries.ipv4(NAME);

    expect(records.map(({ address }) => address)).toEqual(addresses);
    expect(server.asked.map(({ isTcp }) => isTcp)).toEqual([false, true]);
  });

  it("asks anew each time, however long an answer may be kept", async () => {
    const { server, queries } = await asking();
    server.a(NAME, ["10.0.0.1"], 3_600);

    await queries.ipv4(NAME);
    await queries.ipv4(NAME);

    expect(server.count(NAME, "A")).toBe(2);
  });

  it("asks a server at an IPv6 address", async () => {
    const server = await start("::1");
    server.a(NAME, ["10.0.0.1"]);

    const records = await nodeQueries([server.address], 5_000).ipv4(NAME);

    expect(records).toHaveLength(1);
  });

  it.each([
    ["is silent", "silence"],
    ["fails", "SERVFAIL"],
  ] as const)(
    "asks the next server where the first %s, and from then on that one first",
    async (_, refusal) => {
      const [bad, good] = [await start(), await start()];
      bad.fail(NAME, "A", refusal);
      good.a(NAME, ["10.0.0.1"]);
      const queries = nodeQueries([bad.address, good.address], 300);
      await queries.ipv4(NAME);
      const asked = bad.asked.length;

      const records = await queries.ipv4(NAME);

      expect(records).toHaveLength(1);
      expect([bad.asked.length, good.asked.length]).toEqual([asked, 2]);
    },
  );

  it("believes a server that says that there is no such name, and asks no other", async () => {
    const [knowing, other] = [await start(), await start()];
    other.a(NAME, ["10.0.0.1"]);

    const error = await failure(nodeQueries([knowing.address, other.address], 300).ipv4(NAME));

    expect(error).toMatchObject({ code: "ENOTFOUND" });
    expect(other.asked).toEqual([]);
  });
});

describe("nodeQueries: failures", () => {
  it.each([
    ["SERVFAIL", "ESERVFAIL", false],
    ["NXDOMAIN", "ENOTFOUND", true],
    ["silence", "ETIMEOUT", false],
  ] as const)("names host, server and code for %s", async (refusal, code, isNone) => {
    const { server, queries } = await asking(300);
    server.fail(NAME, "A", refusal);

    const error = await failure(queries.ipv4(NAME));

    expect(error).toMatchObject({
      message: `the host "${NAME}" (A) could not be resolved: ${code} (${server.address})`,
      code,
      cause: { code },
    });
    expect([saysNone(error), saysNothing(error)]).toEqual([isNone, refusal === "silence"]);
  });

  it("says of a name that has nothing of that kind, that it has none", async () => {
    const { server, queries } = await asking();
    server.a(NAME, ["10.0.0.1"]);

    const error = await failure(queries.ipv6(NAME));

    expect(error).toMatchObject({ code: "ENODATA" });
    expect(saysNone(error)).toBe(true);
  });

  it("asks a silent server twice, and then no more", async () => {
    const { server, queries } = await asking(300);
    server.fail(NAME, "A", "silence");

    await failure(queries.ipv4(NAME));

    expect(server.count(NAME, "A")).toBe(2);
  });

  it("names every server that failed", async () => {
    const [first, second] = [await start(), await start()];
    first.fail(NAME, "A", "SERVFAIL");
    second.fail(NAME, "A", "SERVFAIL");

    const error = await failure(nodeQueries([first.address, second.address], 300).ipv4(NAME));

    expect(String(error)).toContain(`ESERVFAIL (${first.address}), ESERVFAIL (${second.address})`);
  });

  it("ends what is under way when it is cancelled, and asks no other server", async () => {
    const [silent, other] = [await start(), await start()];
    silent.fail(NAME, "A", "silence");
    const queries = nodeQueries([silent.address, other.address], 60_000);
    const answer = failure(queries.ipv4(NAME));
    await silent.reached(1);

    queries.cancel();

    expect(await answer).toMatchObject({ code: "ECANCELLED" });
    expect(other.asked).toEqual([]);
  });

  it("may be cancelled before anything was asked", () => {
    expect(() => nodeQueries([], 5_000).cancel()).not.toThrow();
  });

  it("asks nobody by this machine's DNS servers for a name that is none", async () => {
    const error = await failure(nodeQueries([], 5_000).services(`_grpc._tcp.${"a".repeat(64)}.invalid`));

    expect(error).toMatchObject({ code: "EBADNAME" });
    expect(String(error)).toMatch(/^Error: the service "_grpc\._tcp\.a+\.invalid" \(SRV\) could not be/);
  });
});
