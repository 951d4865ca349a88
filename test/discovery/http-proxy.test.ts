import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";
import { mapProxyName } from "@grpc/grpc-js/build/src/http_proxy.js";
import fc from "fast-check";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { proxyFor } from "../../src/discovery/http-proxy.js";

type Variables = Readonly<Record<string, string | undefined>>;

const NAMES = ["grpc_proxy", "https_proxy", "http_proxy", "no_grpc_proxy", "no_proxy"];
const SAVED = { ...process.env };

function setEnvironment(variables: Variables): void {
  for (const name of NAMES) {
    const value = variables[name];
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}

/** What grpc-js decides in the same environment. */
function grpcProxyFor(host: string, variables: Variables): { address: string } | null {
  setEnvironment(variables);
  const path = host.includes(":") ? `[${host}]:50051` : `${host}:50051`;
  const { target, extraOptions } = mapProxyName({ scheme: "dns", path }, {});
  return "grpc.http_connect_target" in extraOptions ? { address: target.path } : null;
}

// grpc-js prints proxies it cannot use.
beforeAll(() => setLogVerbosity(logVerbosity.NONE));
afterEach(() => setEnvironment(SAVED));

describe("proxyFor", () => {
  const P1 = "http://p1:3128";
  const P2 = "http://p2:3128";
  const P3 = "http://p3:3128";

  it.each<[string, string, Variables, string | null]>([
    ["nothing is set", "users", {}, null],
    ["grpc_proxy comes first", "users", { grpc_proxy: P1, https_proxy: P2, http_proxy: P3 }, "p1:3128"],
    ["https_proxy comes second", "users", { https_proxy: P2, http_proxy: P3 }, "p2:3128"],
    ["http_proxy comes last", "users", { http_proxy: P3 }, "p3:3128"],
    ["an empty variable is passed over", "users", { grpc_proxy: "", http_proxy: P3 }, "p3:3128"],
    ["port 80 is http's own", "users", { http_proxy: "http://p1" }, "p1:80"],
    ["credentials are not part of the address", "users", { http_proxy: "http://me:pw@p1:1" }, "p1:1"],
    ["an IPv6 proxy keeps its brackets", "users", { http_proxy: "http://[::1]:1" }, "[::1]:1"],
    [
      "an https: proxy is not used, nor the next one",
      "users",
      { grpc_proxy: "https://p1", http_proxy: P3 },
      null,
    ],
    ["no URL is no proxy, nor is the next one", "users", { grpc_proxy: "p1", http_proxy: P3 }, null],
    ["a suffix exempts", "users.svc", { http_proxy: P1, no_proxy: "other,.svc" }, null],
    ["a suffix needs no dot", "myusers", { http_proxy: P1, no_proxy: "users" }, null],
    ["a prefix does not exempt", "users.svc", { http_proxy: P1, no_proxy: "users" }, "p1:3128"],
    ["case counts", "Users", { http_proxy: P1, no_proxy: "users" }, "p1:3128"],
    ["a space before an entry spoils it", "users", { http_proxy: P1, no_proxy: "other, users" }, "p1:3128"],
    ["a trailing comma exempts everything", "users", { http_proxy: P1, no_proxy: "other," }, null],
    [
      "no_grpc_proxy hides no_proxy",
      "users",
      { http_proxy: P1, no_grpc_proxy: "x", no_proxy: "users" },
      "p1:3128",
    ],
    [
      "an empty no_grpc_proxy hides nothing",
      "users",
      { http_proxy: P1, no_grpc_proxy: "", no_proxy: "users" },
      null,
    ],
    ["a range exempts its addresses", "10.1.2.3", { http_proxy: P1, no_proxy: "10.0.0.0/8" }, null],
    ["a range exempts no other address", "11.1.2.3", { http_proxy: P1, no_proxy: "10.0.0.0/8" }, "p1:3128"],
    ["a range may start above 127", "192.168.7.9", { http_proxy: P1, no_proxy: "192.168.0.0/16" }, null],
    ["a range of one", "10.0.0.2", { http_proxy: P1, no_proxy: "10.0.0.1/32" }, "p1:3128"],
    ["/0 covers its own address only", "10.0.0.1", { http_proxy: P1, no_proxy: "0.0.0.0/0" }, "p1:3128"],
    ["/33 is no range", "10.0.0.1", { http_proxy: P1, no_proxy: "10.0.0.1/33" }, "p1:3128"],
    ["two slashes make no range", "10.0.0.1", { http_proxy: P1, no_proxy: "10.0.0.0/8/8" }, "p1:3128"],
    ["a range exempts no name", "users", { http_proxy: P1, no_proxy: "10.0.0.0/8" }, "p1:3128"],
    ["an IPv6 address exempts itself", "::1", { http_proxy: P1, no_proxy: "::1" }, null],
  ])("agrees with grpc-js: %s", (_, host, variables, expected) => {
    const ours = proxyFor(host, variables)?.address ?? null;

    expect(ours).toBe(expected);
    expect(grpcProxyFor(host, variables)?.address ?? null).toBe(expected);
  });

  it("ignores the upper-case spelling, as grpc-js does", () => {
    expect(proxyFor("users", { HTTP_PROXY: P1, HTTPS_PROXY: P1 })).toBeNull();
  });

  it("agrees with grpc-js in any environment", () => {
    const proxy = fc.constantFrom(
      undefined,
      "",
      P1,
      P2,
      "http://p4",
      "https://p5:1",
      "nonsense",
      "http://a:b@p6:9",
    );
    const octet = fc.integer({ min: 0, max: 255 });
    const ip = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join("."));
    const range = fc.tuple(ip, fc.integer({ min: -1, max: 33 })).map(([base, bits]) => `${base}/${bits}`);
    const wide = fc.tuple(ip, fc.integer({ min: 0, max: 3 })).map(([base, bits]) => `${base}/${bits}`);
    const entry = fc.oneof(
      fc.constantFrom("", "users", ".svc", "svc", " users", "1/2/3", "10.0.0.0/8x"),
      ip,
      range,
      wide,
    );
    const exempt = fc.option(
      fc.array(entry, { maxLength: 3 }).map((all) => all.join()),
      { nil: undefined },
    );
    const variables = fc.record({
      grpc_proxy: proxy,
      https_proxy: proxy,
      http_proxy: proxy,
      no_grpc_proxy: exempt,
      no_proxy: exempt,
    });
    const host = fc.oneof(fc.constantFrom("users", "users.svc", "Users", "::1", "fd00::1"), ip);

    fc.assert(
      fc.property(host, variables, (name, env) => {
        expect(proxyFor(name, env)).toEqual(grpcProxyFor(name, env));
      }),
      { numRuns: 1_000 },
    );
  });
});
