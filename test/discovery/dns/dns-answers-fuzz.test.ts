import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { endpointProblems } from "../../../src/discovery/check-endpoints.js";
import { ScriptedLookup } from "./scripted-lookup.js";
import { ScriptedQueries } from "./scripted-queries.js";
import {
  HOST_TARGET,
  SERVICE_TARGET,
  startedDnsResolver,
  startedWithServers,
} from "./started-dns-resolver.js";

const anyAddress = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.constant("fe80::1%eth0"));
const code = fc.constantFrom("ENOTFOUND", "ENODATA", "ESERVFAIL", "ETIMEOUT", "EBADRESP");
const family = fc.oneof(
  fc.array(fc.oneof({ weight: 4, arbitrary: fc.oneof(fc.ipV4(), fc.ipV6()) }, anyAddress), { maxLength: 6 }),
  code,
);
const service = fc.record({
  name: fc.oneof(fc.constantFrom("a.test", "A.test.", "b.test", ".", ""), fc.string({ unit: "binary" })),
  port: fc.integer({ min: 0, max: 65_535 }),
  priority: fc.integer({ min: 0, max: 65_535 }),
  weight: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 65_535 })),
});

function answer(
  queries: ScriptedQueries,
  host: string,
  four: string[] | string,
  six: string[] | string,
): void {
  if (typeof four === "string") queries.fail(`A ${host}`, four);
  else queries.a(host, four);
  if (typeof six === "string") queries.fail(`AAAA ${host}`, six);
  else queries.aaaa(host, six);
}

/** What a resolver may do with any answer: report a set that is one, or an error; never both, never neither. */
function expectOneReport(listener: Awaited<ReturnType<typeof startedWithServers>>["listener"]): void {
  expect(listener.events).toBe(1);
  expect(listener.sets.flatMap((set) => endpointProblems(set).problems)).toEqual([]);
}

describe("DnsResolver: any answer", () => {
  it("of servers for a host makes a good set or an error", async () => {
    await fc.assert(
      fc.asyncProperty(family, family, async (four, six) => {
        const queries = new ScriptedQueries();
        answer(queries, "users", four, six);

        const { listener, resolver } = await startedWithServers(queries, HOST_TARGET);
        resolver.close();

        expectOneReport(listener);
      }),
    );
  });

  it("of servers for a service makes a good set or an error", async () => {
    const services = fc.array(service, { maxLength: 8 });

    await fc.assert(
      fc.asyncProperty(services, family, family, family, async (records, a4, a6, b4) => {
        const queries = new ScriptedQueries();
        queries.srv(SERVICE_TARGET.host, ...records);
        answer(queries, "a.test", a4, a6);
        answer(queries, "b.test", b4, "ESERVFAIL");

        const { listener, resolver } = await startedWithServers(queries, SERVICE_TARGET);
        resolver.close();

        expectOneReport(listener);
      }),
    );
  });

  it("of the system's look-up makes a good set or an error", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.array(anyAddress),
          fc.anything().filter((any) => any !== undefined),
        ),
        async (found) => {
          const names = new ScriptedLookup(found as readonly string[]);

          const { listener, resolver } = await startedDnsResolver(names);
          resolver.close();

          expectOneReport(listener);
        },
      ),
    );
  });
});
