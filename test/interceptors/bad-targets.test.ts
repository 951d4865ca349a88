import * as grpc from "@grpc/grpc-js";
import { createChannel, harden } from "holdfast";
import { describe, expect, it } from "vitest";
import { flavours } from "../fixtures/stubs/flavours.js";
import { configErrorOf, problemCount } from "../support/config-error.js";

const [flavour] = flavours as [(typeof flavours)[number]];

/** The two doors that take a target. */
const doors = {
  createChannel: (target: string) => createChannel(target, { insecure: true }),
  harden: (target: string) => {
    const plain = new flavour.Client("127.0.0.1:9", grpc.credentials.createInsecure());
    return harden(plain, { target, insecure: true });
  },
} as const;

const badTargets: readonly (readonly [target: unknown, sentence: string])[] = [
  ["", "the target is empty; write dns:///host:port or static:///host:port,host:port"],
  ["static:///", "the address list is empty; write static:///host:port,host:port"],
  ["static:///a:1,,b:2", 'address 2 of the list "a:1,,b:2" is empty'],
  ["ipv4:", "the address list is empty; write ipv4:"],
  ["dns:///", "names no host; write host:port"],
  ["unix:", "names no socket path after unix:; write unix:/path"],
  ["static:///a", 'the address "a" has no port; write host:port'],
  ["static:///::1", 'the address "::1" is an IPv6 address without brackets; write [::1]:50051'],
  ["static:///exa mple:1", 'has the host "exa mple", which is neither an IP address nor a host name'],
  ["static:///127.0.0.256:1", 'has the host "127.0.0.256", which is neither an IP address'],
  ["ipv4:a:1", 'the address "a:1" is no IPv4 address'],
  ["ipv6:1.2.3.4:1", 'the address "1.2.3.4:1" is no IPv6 address'],
  ["static:///a:0", 'the address "a:0" has the port "0"; allowed are 1 to 65535'],
  ["static:///a:70000", 'the address "a:70000" has the port "70000"; allowed are 1 to 65535'],
  ["static:///a:-1", 'the address "a:-1" has the port "-1"; allowed are 1 to 65535'],
  ["static:///a:grpc", 'the address "a:grpc" has the port "grpc"; allowed are 1 to 65535'],
  ["a:0", 'the address "a:0" has the port "0"; allowed are 1 to 65535'],
  ["dns:///a:70000", 'the address "a:70000" has the port "70000"; allowed are 1 to 65535'],
  ["static:///a:1,b:2,a:1", 'the address "a:1" repeats "a:1"; name each address once'],
  ["static:///a:1,A:1", 'the address "A:1" repeats "a:1"; name each address once'],
  ["ftp:///a:1", 'has the unknown scheme "ftp"'],
  ["stattic:///a:1", 'has the unknown scheme "stattic" (did you mean static?)'],
  ["xds:///a", "use consul://, dns:/// or static:///"],
  ["http://a:1", "a gRPC target has no http://; write host:port"],
  ["static://a:1", "has two slashes; write three, static:///a:1"],
  ["dns:///a:1,b:2", "lists several addresses; write static:///a:1,b:2"],
  [5, "target is"],
  [null, "target is"],
  [[], "the list of targets is empty; write one or more"],
  [["a:1", 5], "target 2 of the list: it is number; allowed: a string such as dns:///host:port"],
];

describe.each(["createChannel", "harden"] as const)("%s", (name) => {
  it.each(badTargets)("refuses the target %j with one error that says what to write", (target, sentence) => {
    const error = configErrorOf(() => doors[name](target as string));

    expect(error).toMatchObject({ reason: "CONFIG_INVALID", code: grpc.status.INTERNAL, origin: "local" });
    expect(error.details).toMatch(new RegExp(`^${name}: 1 problem: `));
    expect(error.details).toContain(sentence);
  });

  it("names every bad address of a target at once", () => {
    const error = configErrorOf(() => doors[name]("static:///a:0,b:70000,c:1,c:1,d"));

    expect(problemCount(error)).toBe(4);
    for (const part of ['"a:0"', '"b:70000"', '"c:1" repeats', '"d" has no port']) {
      expect(error.details).toContain(part);
    }
  });
});

it("refuses a channel without a target", () => {
  const error = configErrorOf(() => createChannel(undefined as unknown as string, { insecure: true }));

  expect(error.details).toBe(
    "createChannel: 1 problem: target is undefined; allowed: a string such as dns:///host:port, or a list of them",
  );
});
