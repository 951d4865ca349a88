import { describe, expect, it } from "vitest";
import { canonicalAddress, isLiteral, parseAddress, type SocketAddress } from "../../src/core/endpoint.js";

function parsed(text: string): SocketAddress {
  const address = parseAddress(text);
  if (typeof address === "string") throw new Error(`${text} ${address}`);
  return address;
}

describe("a good address", () => {
  it.each<[string, SocketAddress]>([
    ["users:50051", { kind: "tcp", host: "users", port: 50_051 }],
    ["Users.Example.com:1", { kind: "tcp", host: "Users.Example.com", port: 1 }],
    ["my_service-1:65535", { kind: "tcp", host: "my_service-1", port: 65_535 }],
    ["10.0.0.1:443", { kind: "tcp", host: "10.0.0.1", port: 443 }],
    ["[::1]:50051", { kind: "tcp", host: "::1", port: 50_051 }],
    ["[2001:db8::7]:443", { kind: "tcp", host: "2001:db8::7", port: 443 }],
    ["unix:/run/kv.sock", { kind: "unix", path: "/run/kv.sock" }],
    ["unix:relative.sock", { kind: "unix", path: "relative.sock" }],
  ])("%s is read into host and port, or path", (text, expected) => {
    expect(parseAddress(text)).toEqual(expected);
  });
});

describe("a bad address", () => {
  it.each([
    ["users", "has no port; write host:port"],
    ["", "has no port; write host:port"],
    ["users:", 'has the port ""; allowed are 1 to 65535'],
    ["users:0", 'has the port "0"; allowed are 1 to 65535'],
    ["users:70000", 'has the port "70000"; allowed are 1 to 65535'],
    ["users:65536", 'has the port "65536"; allowed are 1 to 65535'],
    ["users:-1", 'has the port "-1"; allowed are 1 to 65535'],
    ["users:1.5", 'has the port "1.5"; allowed are 1 to 65535'],
    ["users:http", 'has the port "http"; allowed are 1 to 65535'],
    ["users: 1", 'has the port " 1"; allowed are 1 to 65535'],
    [":50051", 'has the host "", which is neither an IP address nor a host name'],
    ["-users:1", 'has the host "-users", which is neither an IP address nor a host name'],
    ["us ers:1", 'has the host "us ers", which is neither an IP address nor a host name'],
    ["user@host:1", 'has the host "user@host", which is neither an IP address nor a host name'],
    ["http//x:1", 'has the host "http//x", which is neither an IP address nor a host name'],
    ["127.0.0.256:1", 'has the host "127.0.0.256", which is neither an IP address nor a host name'],
    ["127.0.1:1", 'has the host "127.0.1", which is neither an IP address nor a host name'],
    ["[users]:1", 'has the host "users", which is neither an IP address nor a host name'],
    ["[]:1", 'has the host "", which is neither an IP address nor a host name'],
    ["[10.0.0.1]:1", 'has the host "10.0.0.1", which is neither an IP address nor a host name'],
    ["::1", "is an IPv6 address without brackets; write [::1]:50051"],
    ["::1:50051", "is an IPv6 address without brackets; write [::1]:50051"],
    ["2001:db8::7", "is an IPv6 address without brackets; write [::1]:50051"],
    ["dns:users:1", "has more than one colon; write host:port"],
    ["10.0.0.1:1:2", "has more than one colon; write host:port"],
    ["static:///127.0.0.1:5", "has a scheme, which only a target may have; write host:port"],
    ["dns:///users:1", "has a scheme, which only a target may have; write host:port"],
    ["http://users:1", "has a scheme, which only a target may have; write host:port"],
    ["unix:", "names no socket path after unix:"],
  ])("%j is refused, and the reason says what is wrong with it", (text, expected) => {
    expect(parseAddress(text)).toBe(expected);
  });

  it("with brackets but no port is told about the port, not about brackets", () => {
    expect(parseAddress("[::1]")).toContain("has no port");
  });
});

describe("the one spelling of an address", () => {
  it.each([
    ["Users.Example.COM:1", "users.example.com:1"],
    ["users:00080", "users:80"],
    ["[2001:DB8::7]:443", "[2001:db8::7]:443"],
    ["10.0.0.1:443", "10.0.0.1:443"],
    ["unix:/Run/KV.sock", "unix:/Run/KV.sock"],
  ])("turns %s into %s", (text, expected) => {
    expect(canonicalAddress(parsed(text))).toBe(expected);
  });

  it.each([
    ["[0:0:0:0:0:0:0:1]:1", "[::1]:1"],
    ["[2001:db8:0:0::7]:1", "[2001:db8::7]:1"],
    ["[::ffff:10.0.0.1]:1", "[::ffff:a00:1]:1"],
  ])("R110: is the same for %s and %s, so that one server is one endpoint", (one, other) => {
    expect(canonicalAddress(parsed(one))).toBe(canonicalAddress(parsed(other)));
  });

  it("reads back as the same address", () => {
    for (const text of ["users:1", "[::1]:1", "10.0.0.1:1", "unix:/a"]) {
      expect(canonicalAddress(parsed(canonicalAddress(parsed(text))))).toBe(text);
    }
  });
});

it.each([
  ["10.0.0.1:1", true],
  ["[::1]:1", true],
  ["unix:/a", true],
  ["localhost:1", false],
])("an address that needs no look-up is known as one: %s", (text, expected) => {
  expect(isLiteral(parsed(text))).toBe(expected);
});
