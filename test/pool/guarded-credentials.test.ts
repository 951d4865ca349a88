import { CallCredentials, Metadata, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { guardCallCredentials } from "../../src/pool/guarded-credentials.js";

const ASKED = { method_name: "/test.Echo/Say", service_url: "https://users.example/test.Echo" };
type Generator = Parameters<typeof CallCredentials.createFromMetadataGenerator>[0];

function guarded(generator: Generator): CallCredentials {
  return guardCallCredentials(CallCredentials.createFromMetadataGenerator(generator));
}

function failureOf(credentials: CallCredentials): Promise<{ code?: unknown; message: string }> {
  return credentials.generateMetadata(ASKED).then(
    () => ({ message: "succeeded" }),
    (error) => error,
  );
}

describe("guarded call credentials", () => {
  it("give what they are made of", async () => {
    const credentials = guarded(({ method_name, service_url }, callback) => {
      const metadata = new Metadata();
      metadata.set("authorization", `${method_name} at ${service_url}`);
      callback(null, metadata);
    });

    expect((await credentials.generateMetadata(ASKED)).getMap()).toEqual({
      authorization: "/test.Echo/Say at https://users.example/test.Echo",
    });
  });

  it("are guarded once, and none need no guard", () => {
    const credentials = guarded((_asked, callback) => callback(null, new Metadata()));
    const none = CallCredentials.createEmpty();

    expect(guardCallCredentials(credentials)).toBe(credentials);
    expect(guardCallCredentials(none)).toBe(none);
  });

  it.each<[string, Generator, object]>([
    ["neither error nor metadata", (_, done) => done(null), { code: status.UNAVAILABLE, message: "null" }],
    ["nothing at all", (_, done) => done(undefined as never), { code: status.UNAVAILABLE }],
    [
      "what is no Metadata",
      (_, done) => done(null, "Bearer s3cret" as never),
      { code: status.INTERNAL, message: "call credentials gave a value of type string; allowed: Metadata" },
    ],
    ["null for Metadata", (_, done) => done(null, null as never), { code: status.INTERNAL }],
    [
      "a throw",
      () => {
        throw new TypeError("no token");
      },
      { code: status.UNAVAILABLE, message: "no token" },
    ],
    ["a status", (_, done) => done(coded(status.PERMISSION_DENIED)), { code: status.PERMISSION_DENIED }],
    ["a status of HTTP", (_, done) => done(coded(401)), { code: status.UNAVAILABLE, message: "down" }],
    ["no number", (_, done) => done(coded(Number.NaN)), { code: status.UNAVAILABLE }],
    ["half a number", (_, done) => done(coded(7.5)), { code: status.UNAVAILABLE }],
    [
      "R164: a status of the application",
      (_, done) => done(coded(status.NOT_FOUND)),
      { code: status.INTERNAL, message: "5 NOT_FOUND: down" },
    ],
  ])("that answer with %s fail with an error that grpc-js can report", async (_what, generator, expected) => {
    const failure = await failureOf(guarded(generator));

    expect(failure).toBeInstanceOf(Error);
    expect(failure).toMatchObject(expected);
    expect(failure.message).not.toContain("s3cret");
  });
});

function coded(code: number): Error {
  return Object.assign(new Error("down"), { code });
}
