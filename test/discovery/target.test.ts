import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseTarget } from "../../src/discovery/target.js";

function problemsOf(target: string): readonly string[] {
  const parsed = parseTarget(target);
  return parsed.ok ? [] : parsed.problems;
}

describe("parseTarget (B17, D11)", () => {
  it.each([
    ["users:50051", "users", 50051, "dns:///users:50051", "users:50051"],
    ["dns:users:50051", "users", 50051, "dns:///users:50051", "users:50051"],
    ["dns:///users:50051", "users", 50051, "dns:///users:50051", "users:50051"],
    ["foo.bar", "foo.bar", 443, "dns:///foo.bar:443", "foo.bar"],
    ["dns:///foo.bar", "foo.bar", 443, "dns:///foo.bar:443", "foo.bar"],
    ["Users:50051", "Users", 50051, "dns:///users:50051", "Users:50051"],
    ["127.0.0.1:50051", "127.0.0.1", 50051, "dns:///127.0.0.1:50051", "127.0.0.1:50051"],
    ["[::1]:50051", "::1", 50051, "dns:///[::1]:50051", "[::1]:50051"],
    ["dns:///[::1]", "::1", 443, "dns:///[::1]:443", "[::1]"],
    ["etcd:2379", "etcd", 2379, "dns:///etcd:2379", "etcd:2379"],
  ])("reads %s as a name to look up", (target, host, port, canonical, defaultAuthority) => {
    expect(parseTarget(target)).toEqual({
      ok: true,
      scheme: "dns",
      host,
      port,
      servers: [],
      canonical,
      defaultAuthority,
    });
  });

  it.each([
    ["static:///A:1,b:2", "static", "static:///a:1,b:2", null],
    ["static:a:1,b:2", "static", "static:///a:1,b:2", null],
    ["static:///[::1]:1,unix:///s", "static", "static:///[::1]:1,unix:/s", null],
    ["ipv4:1.2.3.4:50051,5.6.7.8:50051", "ipv4", "ipv4:1.2.3.4:50051,5.6.7.8:50051", "1.2.3.4:50051"],
    ["ipv4:///1.2.3.4:50051", "ipv4", "ipv4:1.2.3.4:50051", "1.2.3.4:50051"],
    ["ipv6:[::1]:50051,[::2]:50051", "ipv6", "ipv6:[::1]:50051,[::2]:50051", "[::1]:50051"],
    ["unix:/tmp/s", "unix", "unix:/tmp/s", "localhost"],
    ["unix:///tmp/s", "unix", "unix:/tmp/s", "localhost"],
    ["unix:relative", "unix", "unix:relative", "localhost"],
  ])("reads %s as its own list", (target, scheme, canonical, defaultAuthority) => {
    expect(parseTarget(target)).toMatchObject({ ok: true, scheme, canonical, defaultAuthority });
  });

  it("gives the addresses of a list in the order they are preferred", () => {
    expect(parseTarget("static:///b:2,unix:/s")).toMatchObject({
      addresses: [
        { kind: "tcp", host: "b", port: 2 },
        { kind: "unix", path: "/s" },
      ],
    });
  });

  it.each([
    ["", "the target is empty; write dns:///host:port or static:///host:port,host:port"],
    [
      "dns://auth/foo.bar",
      'the DNS server "auth" is no IP address; allowed: addresses such as dns://10.0.0.1/host:port or dns://10.0.0.1:5353,[fd00::1]/host:port',
    ],
    [
      "unknown_scheme:///x",
      'the target "unknown_scheme:///x" has the unknown scheme "unknown_scheme" (known: static, ipv4, ipv6, unix, dns, consul, etcd, file, passthrough); a scheme of your own needs registerResolver("unknown_scheme", ...) before the channel is made',
    ],
    [
      "dnss:///x",
      'the target "dnss:///x" has the unknown scheme "dnss" (did you mean dns?); a scheme of your own needs registerResolver("dnss", ...) before the channel is made',
    ],
    ["dns://users:50051", 'the target "dns://users:50051" has two slashes; write three, dns:///users:50051'],
    [
      "static://x/a:1",
      'the target "static://x/a:1" has the authority "x"; static: takes none, write static:///a:1',
    ],
    [
      "unix://tmp/s",
      'the target "unix://tmp/s" has the authority "tmp", where a path belongs; write unix:///tmp/s',
    ],
    ["unix:", "the target names no socket path after unix:; write unix:/path"],
    ["unix:///", "the target names no socket path after unix:; write unix:/path"],
    ["dns:///", 'the address "" names no host; write host:port'],
    ["a:1,b:2", 'the target "a:1,b:2" lists several addresses; write static:///a:1,b:2'],
    ["users:0", 'the address "users:0" has the port "0"; allowed are 1 to 65535'],
    ["users:70000", 'the address "users:70000" has the port "70000"; allowed are 1 to 65535'],
    ["users:", 'the address "users:" has the port ""; allowed are 1 to 65535'],
    [
      "127.0.0.256",
      'the address "127.0.0.256" has the host "127.0.0.256", which is neither an IP address nor a host name',
    ],
    ["::1", 'the address "::1" is an IPv6 address without brackets; write [::1]:50051'],
    ["dns:unix:/s", 'the address "unix:/s" is a socket path; write unix:/s'],
  ])("says what is wrong with %j and what is allowed", (target, problem) => {
    expect(problemsOf(target)).toEqual([problem]);
  });

  it("requires the port where gRPC would quietly dial 443 on an IP address", () => {
    expect(problemsOf("ipv4:1.2.3.4")).toEqual(['the address "1.2.3.4" has no port; write host:port']);
  });

  it("lists the problems of authority and addresses together", () => {
    expect(problemsOf("dns://auth/foo:70000")).toEqual([
      expect.stringContaining('the DNS server "auth"'),
      expect.stringContaining('the port "70000"'),
    ]);
  });

  it("never throws, whatever it is given", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.stringMatching(/^(dns|static|unix|ipv6|x):(\/{0,3})[a-z:,[\]/.0-9%]*$/),
    );

    fc.assert(fc.property(text, (target) => typeof parseTarget(target).ok === "boolean"));
  });

  it("reads its own canonical spelling back as the same target", () => {
    const address = fc.constantFrom("a:1", "B.c:2", "1.2.3.4:5", "[::A]:6", "unix:/s", "unix:///t");
    const list = fc.uniqueArray(address, { minLength: 1 }).map((all) => `static:///${all.join()}`);
    const single = fc.constantFrom(
      "users",
      "users:1",
      "[::1]",
      "unix:////s",
      "unix:s",
      "ipv6:///[::B]:1",
      "ipv4:1.2.3.4:5",
    );

    fc.assert(
      fc.property(fc.oneof(list, single), (target) => {
        const first = parseTarget(target);
        const again = first.ok ? parseTarget(first.canonical) : null;

        expect(again).toMatchObject({ ok: true, canonical: first.ok && first.canonical });
      }),
    );
  });

  it.each(["consul:///x?tag=\ud800", "consul:///x?filter=\udc00", "etcd:///a\ud800"])(
    "says what is wrong with what is no text, and does not throw: %j",
    (target) => {
      expect(problemsOf(target)).toHaveLength(1);
    },
  );
});
