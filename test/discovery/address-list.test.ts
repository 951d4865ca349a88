import { describe, expect, it } from "vitest";
import { type ListScheme, parseAddressList, unixPath } from "../../src/discovery/address-list.js";

describe("parseAddressList", () => {
  it("reads names, both families and socket paths, in the order written", () => {
    const { addresses, problems } = parseAddressList(
      "static",
      "a:1,127.0.0.1:2,[::1]:3,unix:/tmp/s,unix:///tmp/t",
    );

    expect(problems).toEqual([]);
    expect(addresses).toEqual([
      { kind: "tcp", host: "a", port: 1 },
      { kind: "tcp", host: "127.0.0.1", port: 2 },
      { kind: "tcp", host: "::1", port: 3 },
      { kind: "unix", path: "/tmp/s" },
      { kind: "unix", path: "/tmp/t" },
    ]);
  });

  it.each<[ListScheme, string, string]>([
    ["static", "", "the address list is empty; write static:///host:port,host:port"],
    ["ipv4", "", "the address list is empty; write ipv4:1.2.3.4:50051,5.6.7.8:50051"],
    ["static", "a:1,,b:2", 'address 2 of the list "a:1,,b:2" is empty; write static:///host:port,host:port'],
    [
      "static",
      "127.0.0.1:70000",
      'the address "127.0.0.1:70000" has the port "70000"; allowed are 1 to 65535',
    ],
    ["static", "a:0", 'the address "a:0" has the port "0"; allowed are 1 to 65535'],
    ["static", "a", 'the address "a" has no port; write host:port'],
    ["static", "::1", 'the address "::1" is an IPv6 address without brackets; write [::1]:50051'],
    ["static", "A:1,a:1", 'the address "a:1" repeats "A:1"; name each address once'],
    ["static", "unix:/s,unix:///s", 'the address "unix:///s" repeats "unix:/s"; name each address once'],
    ["static", "unix:", 'the address "unix:" names no socket path after unix:'],
    [
      "ipv4",
      "1.2.3.4:1,[::1]:1",
      'the address "[::1]:1" is no IPv4 address; ipv4: takes nothing else, write static:/// for other addresses or a mix',
    ],
    [
      "ipv6",
      "[::1]:1,1.2.3.4:1",
      'the address "1.2.3.4:1" is no IPv6 address; ipv6: takes nothing else, write static:/// for other addresses or a mix',
    ],
  ])("explains what is wrong with %s %j", (scheme, list, problem) => {
    expect(parseAddressList(scheme, list).problems).toEqual([problem]);
  });

  it.each<[ListScheme, string]>([
    ["ipv4", "users:1"],
    ["ipv4", "unix:/s"],
    ["ipv6", "users:1"],
  ])("takes for %s no %s", (scheme, entry) => {
    expect(parseAddressList(scheme, entry).problems).toEqual([
      expect.stringContaining(JSON.stringify(entry)),
    ]);
  });

  it("lists all problems at once", () => {
    const { problems } = parseAddressList("static", "a:0,b,c:1,c:1,");

    expect(problems).toHaveLength(4);
  });

  it("names an address again for every repetition", () => {
    const { problems } = parseAddressList("static", "a:1,a:1,a:1");

    expect(problems).toHaveLength(2);
  });
});

describe("unixPath", () => {
  it.each([
    [null, "/tmp/s", "/tmp/s"],
    [null, "relative", "relative"],
    ["", "tmp/s", "/tmp/s"],
    ["", "//tmp/s", "/tmp/s"],
    ["", "", ""],
    [null, "", ""],
  ])("reads authority %j and path %j as %j", (authority, path, expected) => {
    expect(unixPath(authority, path)).toBe(expected);
  });
});
