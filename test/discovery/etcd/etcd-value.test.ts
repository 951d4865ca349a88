import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { endpointOf, writtenValue } from "../../../src/discovery/etcd/etcd-value.js";
import { serviceOptionsSchema } from "../../../src/discovery/registration-options.js";

const read = (text: string) => endpointOf(Buffer.from(text));

describe("a value in etcd", () => {
  it.each([
    ['{"Op":0,"Addr":"10.0.0.5:50051","Metadata":null}', { address: "10.0.0.5:50051" }],
    ['{"Addr":"Users-1:50051"}', { address: "users-1:50051" }],
    ['{"op":0,"addr":"[::1]:50051","metadata":"v1"}', { address: "[::1]:50051" }],
    ['{"addr":"lower:1","Addr":"exact:1"}', { address: "exact:1" }],
    ['{"Addr":"unix:/run/users.sock"}', { address: "unix:/run/users.sock" }],
  ])("is read as Go's naming writes it, and reads it: %s", (text, endpoint) => {
    expect(read(text)).toEqual(endpoint);
  });

  it("gives the endpoint what its metadata knows", () => {
    const metadata = {
      weight: 2.5,
      priority: 1,
      zone: "eu-1a",
      hashKey: "k",
      serverName: "users",
      version: "v2",
    };

    expect(read(JSON.stringify({ Addr: "a:1", Metadata: { ...metadata, tags: ["x", "y"] } }))).toEqual({
      address: "a:1",
      weight: 2.5,
      priority: 1,
      zone: "eu-1a",
      hashKey: "k",
      serverName: "users",
      metadata: { version: "v2", tags: "x,y" },
    });
  });

  it.each([
    { weight: 0 },
    { weight: -1 },
    { weight: 1_000_001 },
    { weight: "4" },
    { priority: 1.5 },
    { priority: -1 },
    { zone: "" },
    { hashKey: 4 },
    { serverName: null },
    { tags: [1] },
    { nested: {} },
    [],
    7,
  ])("keeps its endpoint and drops what makes no sense in its metadata: %j", (metadata) => {
    expect(read(JSON.stringify({ Addr: "a:1", Metadata: metadata }))).toEqual({ address: "a:1" });
  });

  it.each([
    ["", "is no JSON object with an Addr"],
    ["10.0.0.1:80", "is no JSON object with an Addr"],
    ["[]", "is no JSON object with an Addr"],
    ["null", "is no JSON object with an Addr"],
    ["{}", "has no Addr that is a text"],
    ['{"Addr":5}', "has no Addr that is a text"],
    ['{"Addr":"a"}', 'has the Addr "a", which has no port; write host:port'],
    ['{"Addr":"a:99999"}', 'has the Addr "a:99999", which has the port "99999"; allowed are 1 to 65535'],
    ['{"Op":1,"Addr":"a:1"}', "says that its endpoint is deleted (Op 1)"],
  ])("without an endpoint says why: %s", (text, problem) => {
    expect(read(text)).toBe(problem);
  });

  it("never throws, whatever stands there", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          const endpoint = endpointOf(bytes);

          expect(typeof endpoint === "string" || typeof endpoint.address === "string").toBe(true);
        },
      ),
    );
  });

  it("takes a key that every object has for one like any other", () => {
    const endpoint = read('{"Addr":"a:1","Metadata":{"__proto__":"p","constructor":"c"}}');

    expect(JSON.stringify(endpoint)).toBe('{"address":"a:1","metadata":{"__proto__":"p","constructor":"c"}}');
  });
});

describe("a service as it is written", () => {
  it("has the bytes that Go's naming writes", () => {
    const service = serviceOptionsSchema.parse({ address: "10.0.0.5:50051" });

    expect(writtenValue(service)).toBe('{"Op":0,"Addr":"10.0.0.5:50051","Metadata":null}');
  });

  it("is read back with all that clients are to know", () => {
    const service = serviceOptionsSchema.parse({
      address: "10.0.0.5:50051",
      weight: 4,
      zone: "eu-1a",
      tags: ["v2", "canary"],
      metadata: { version: "2.1" },
    });

    expect(read(writtenValue(service))).toEqual({
      address: "10.0.0.5:50051",
      weight: 4,
      zone: "eu-1a",
      metadata: { version: "2.1", tags: "v2,canary" },
    });
  });
});
