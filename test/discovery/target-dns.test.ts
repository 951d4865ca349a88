import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseTarget } from "../../src/discovery/target.js";

function problemsOf(target: string): readonly string[] {
  const parsed = parseTarget(target);
  return parsed.ok ? [] : parsed.problems;
}

describe("a dns target with servers of its own", () => {
  it.each([
    ["dns://10.0.0.1/users:50051", ["10.0.0.1:53"], "dns://10.0.0.1:53/users:50051"],
    ["dns://10.0.0.1:5353/Users:50051", ["10.0.0.1:5353"], "dns://10.0.0.1:5353/users:50051"],
    ["dns://[FD00::1]/users:50051", ["[fd00::1]:53"], "dns://[fd00::1]:53/users:50051"],
    [
      "dns://10.0.0.1,[::1]:5353/users:50051",
      ["10.0.0.1:53", "[::1]:5353"],
      "dns://10.0.0.1:53,[::1]:5353/users:50051",
    ],
  ])("reads %s in the spelling that Node takes", (target, servers, canonical) => {
    expect(parseTarget(target)).toMatchObject({ ok: true, scheme: "dns", port: 50051, servers, canonical });
  });

  it("asks the system where none is named", () => {
    expect(parseTarget("dns:///users:50051")).toMatchObject({ servers: [], canonical: "dns:///users:50051" });
  });

  it("keeps the name as it was written for the authority", () => {
    expect(parseTarget("dns://10.0.0.1/Users")).toMatchObject({ defaultAuthority: "Users", port: 443 });
  });

  it.each([
    [
      "dns://auth/foo.bar",
      'the DNS server "auth" is no IP address; allowed: addresses such as dns://10.0.0.1/host:port or dns://10.0.0.1:5353,[fd00::1]/host:port',
    ],
    ["dns://10.0.0.1:0/users", 'the DNS server "10.0.0.1:0" has the port "0"; allowed are 1 to 65535'],
    ["dns://10.0.0.1,10.0.0.1:53/users", 'the DNS server "10.0.0.1:53" is there twice'],
    ["dns://users:50051", 'the target "dns://users:50051" has two slashes; write three, dns:///users:50051'],
    [
      "dns://10.0.0.1:53/",
      'the target "dns://10.0.0.1:53/" has two slashes; write three, dns:///10.0.0.1:53',
    ],
  ])("says what is wrong with %s", (target, problem) => {
    expect(problemsOf(target)).toEqual([problem]);
  });

  it.each([
    ["dns://::1/users", "is an IPv6 address without brackets"],
    ["dns://10.0.0.1,/users", 'the DNS server "" has the host ""'],
    ["dns://[fe80::1%eth0]/users", "has a zone, which cannot be asked"],
    ["dns://unix:s/users", 'the DNS server "unix:s" is no IP address'],
    ["dns://10.0.0.256/users", 'the host "10.0.0.256"'],
  ])("refuses the server of %s", (target, problem) => {
    expect(problemsOf(target)).toEqual([expect.stringContaining(problem)]);
  });

  it("lists the problems of servers and host together", () => {
    expect(problemsOf("dns://a,b/foo:70000")).toEqual([
      expect.stringContaining('the DNS server "a"'),
      expect.stringContaining('the DNS server "b"'),
      expect.stringContaining('the port "70000"'),
    ]);
  });
});

describe("a dns target of SRV records", () => {
  it.each([
    ["dns:///_grpc._tcp.Users.internal", "dns:///_grpc._tcp.users.internal"],
    ["_grpc._tcp.users.internal", "dns:///_grpc._tcp.users.internal"],
    ["dns://10.0.0.1/_users._grpc.service.consul", "dns://10.0.0.1:53/_users._grpc.service.consul"],
  ])("leaves the ports of %s to its records", (target, canonical) => {
    expect(parseTarget(target)).toMatchObject({ ok: true, scheme: "dns", port: null, canonical });
  });

  it("refuses a port, which the records name", () => {
    expect(problemsOf("dns:///_grpc._tcp.users:50051")).toEqual([
      'the address "_grpc._tcp.users:50051" has a port, but SRV records name the ports; write _grpc._tcp.users',
    ]);
  });

  it.each(["_users.internal", "_users._tcp", "users._grpc._tcp.internal"])(
    "takes %s for a host, as it is no name of a service",
    (target) => {
      expect(parseTarget(target)).toMatchObject({ ok: true, host: target, port: 443 });
    },
  );
});

describe("any dns target", () => {
  const target = fc
    .record({
      servers: fc.uniqueArray(fc.constantFrom("1.2.3.4", "1.2.3.4:5", "[::A]", "[::a]:6")),
      host: fc.constantFrom("users", "Users:1", "[::1]", "1.2.3.4:5", "_grpc._tcp.Users", "a.b."),
    })
    .map(({ servers, host }) => `dns://${servers.join(",")}/${host}`);

  it("is read back from its own canonical spelling as the same target", () => {
    fc.assert(
      fc.property(target, (text) => {
        const first = parseTarget(text);
        const again = first.ok ? parseTarget(first.canonical) : null;

        expect(again).toMatchObject({ ok: true, canonical: first.ok && first.canonical });
      }),
    );
  });

  it("is answered for whatever stands in it, without throwing", () => {
    const text = fc.stringMatching(/^dns:\/\/[a-z:,[\]./0-9%_]*$/);

    fc.assert(fc.property(text, (any) => typeof parseTarget(any).ok === "boolean"));
  });
});
