import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseTarget } from "../../../src/discovery/target.js";

describe("an etcd target", () => {
  it.each([
    ["etcd://etcd1:2379/users", "etcd://etcd1:2379/users"],
    ["etcd://ETCD1/users", "etcd://etcd1:2379/users"],
    ["ETCD://etcd1/users/", "etcd://etcd1:2379/users"],
    ["etcd://a,b:2479,c:2379/shop/users", "etcd://a:2379,b:2479,c:2379/shop/users"],
    ["etcd://[::1],[2001:DB8:0::5]:2479/users", "etcd://[::1]:2379,[2001:db8::5]:2479/users"],
    ["etcd:///users", "etcd://127.0.0.1:2379/users"],
    ["etcd://etcd1//registry/users", "etcd://etcd1:2379//registry/users"],
    ["etcd://etcd1/my%20users%3F", "etcd://etcd1:2379/my%20users%3F"],
    ["etcd://etcd1/100%25", "etcd://etcd1:2379/100%25"],
  ])("%s has one spelling, which is read as the same", (text, canonical) => {
    const target = parseTarget(text);

    expect(target).toMatchObject({ ok: true, scheme: "etcd", canonical });
    expect(parseTarget(canonical)).toMatchObject({ ok: true, canonical });
  });

  it.each([
    ["etcd://h/users", "users"],
    ["etcd://h/shop/users//", "shop/users"],
    ["etcd://h//registry/users", "/registry/users"],
    ["etcd://h/my%20users%3F%23", "my users?#"],
  ])("%s looks under the keys that begin with it", (text, prefix) => {
    expect(parseTarget(text)).toMatchObject({ ok: true, prefix });
  });

  it("keeps the order of its servers", () => {
    expect(parseTarget("etcd://b,a:1/users")).toMatchObject({
      servers: [
        { kind: "tcp", host: "b", port: 2379 },
        { kind: "tcp", host: "a", port: 1 },
      ],
    });
  });

  it.each([
    ["etcd:users", ["has no slashes after etcd:; write etcd:///users"]],
    ["etcd:/users", ["has no slashes after etcd:; write etcd:///users"]],
    ["etcd://host", ["names no prefix; write etcd://host:2379,host:2379/prefix"]],
    ["etcd:///", ["names no prefix"]],
    ["etcd://host:0/users", ['the etcd server "host:0" has the port "0"; allowed are 1 to 65535']],
    ["etcd://host:/users", ['has the port ""']],
    ["etcd://::1/users", ["is an IPv6 address without brackets"]],
    ["etcd://a,,b/users", ['server 2 of the list "a,,b" is empty']],
    ["etcd://a,A:2379/users", ["a:2379 is there twice"]],
    ["etcd://unix:sock/users", ["is a socket path"]],
    ["etcd://h/users?ttl=5", ["has a ? after the prefix; write %3F where it is part of a key"]],
    ["etcd://h/users#1", ["has a # after the prefix; write %23"]],
    ["etcd://h/50%", ["has a % that begins no escape; write %25"]],
    ["etcd://a:0,b:70000,b_/", ['"a:0"', '"b:70000"', "names no prefix"]],
  ])("%s is refused, with every reason at once", (text, reasons) => {
    const target = parseTarget(text);

    if (target.ok) throw new Error(`${text} was taken`);
    expect(target.problems).toHaveLength(reasons.length);
    for (const [place, reason] of reasons.entries()) expect(target.problems[place]).toContain(reason);
  });

  it("does not tell the password that somebody put into it", () => {
    const target = parseTarget("etcd://root:s3cret@host:2379/users");

    if (target.ok) throw new Error("it was taken");
    expect(target.problems).toEqual([expect.stringContaining("set username in discovery.etcd")]);
    expect(JSON.stringify(target)).not.toContain("s3cret");
  });

  it("reads any prefix that it has written", () => {
    const prefixes = fc.string({ unit: "binary", minLength: 1 }).filter((text) => !text.endsWith("/"));
    fc.assert(
      fc.property(prefixes, (prefix) => {
        const target = parseTarget(`etcd://h/${encodeURIComponent(prefix)}`);

        expect(target).toMatchObject({ ok: true, prefix });
        expect(parseTarget((target as { canonical: string }).canonical)).toEqual(target);
      }),
    );
  });
});
