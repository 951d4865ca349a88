import * as grpc from "@grpc/grpc-js";
import type { PromiseCallOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { rememberedSettings } from "../../src/interceptors/promises/settings-reader.js";
import { type BytesHandlers, rejection, scenes, WAYS } from "./promises-scene.js";

const open = scenes();
const A = Buffer.from("a");

/** Answers with the values of one header. */
const headerEcho: BytesHandlers = {
  one: (call, callback) => callback(null, Buffer.from(call.metadata.get("x").join("|"))),
};
const hang: BytesHandlers = { one: () => {} };

describe.each(WAYS)("options of calls %s", (way) => {
  it.each([
    ["a Metadata", Object.assign(new grpc.Metadata(), {}), ""],
    ["a text", { x: "1" }, "1"],
    ["several texts", { x: ["1", "2"] }, "1, 2"],
  ])("send metadata given as %s", async (_name, metadata, expected) => {
    const { client } = await open(headerEcho, { way });

    expect(String(await client.one(A, { metadata }))).toBe(expected);
  });

  it("send binary metadata", async () => {
    const seen: unknown[] = [];
    const { client } = await open(
      {
        one(call, callback) {
          seen.push(...call.metadata.get("x-bin"));
          callback(null, A);
        },
      },
      { way },
    );

    await client.one(A, { metadata: { "x-bin": Buffer.of(0, 255) } });

    expect(seen).toEqual([Buffer.of(0, 255)]);
  });

  it("end a call at its timeout, which counts from each call that shares them", async () => {
    const { client } = await open(hang, { way });
    const shared = Object.freeze({ timeoutMs: 40 });

    const errors = [await rejection(client.one(A, shared)), await rejection(client.one(A, shared))];

    expect(errors.map(({ code }) => code)).toEqual([4, 4]);
    expect(errors.map(({ reason }) => reason)).toEqual(["DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED"]);
  });

  it("may be changed between calls, and the change counts", async () => {
    let runs = 0;
    const { client } = await open(
      {
        one(_call, callback) {
          runs++;
          callback({ code: grpc.status.UNAVAILABLE, details: "not now" });
        },
      },
      { way },
    );
    const options: { idempotent: boolean; retry: { maxAttempts: number } } = {
      idempotent: false,
      retry: { maxAttempts: 2 },
    };
    const runsOf = async (): Promise<number> => {
      runs = 0;
      await rejection(client.one(A, options));
      return runs;
    };

    const before = await runsOf();
    options.idempotent = true;
    const repeated = await runsOf();
    options.retry.maxAttempts = 1;
    const once = await runsOf();

    expect([before, repeated, once]).toEqual([1, 2, 1]);
  });

  it.each<[string, unknown, RegExp]>([
    ["a key that is misspelt", { timoutMs: 5 }, /timoutMs is not a known key \(did you mean timeoutMs\?\)/],
    [
      "a key of nobody's",
      { onEnd: 5 },
      /promises: 1 problem: onEnd is not a known key.*also takes metadata, onHeaders, .* and credentials$/,
    ],
    ["a value out of range", { timeoutMs: -1 }, /promises: 1 problem: timeoutMs is -1; allowed: 1 or more$/],
    [
      "grpc-js's name of a flag",
      { propagate_flags: 1 },
      /propagate_flags is not a known key.*also takes .*propagateFlags/,
    ],
    [
      "a parent, flags and credentials that are none",
      { parent: {}, propagateFlags: 65_536, credentials: grpc.credentials.createInsecure() },
      /3 problems: parent is an object of class Object; allowed: the call.*propagateFlags is a number; .* 0 to 65535; credentials is an object of class \w+; allowed: a grpc-js CallCredentials$/,
    ],
    [
      "a misspelt key beside a bad hook",
      { timoutMs: 5, onStatus: 1 },
      /promises: 2 problems: onStatus is a number; allowed: a function; timoutMs is not a known key/,
    ],
    [
      "hooks that are none",
      { onHeaders: 1, onStatus: "x" },
      /2 problems: onHeaders is a number; allowed: a function; onStatus is a string/,
    ],
    [
      "every problem at once",
      { signal: {}, metadata: 7, timeoutMs: 0 },
      /3 problems: metadata is a number.*signal is an object of class Object; allowed: an AbortSignal.*timeoutMs is 0/,
    ],
    [
      "a Metadata in their place",
      new grpc.Metadata(),
      /the options of a call are an object of class Metadata; allowed: an object; metadata goes into them/,
    ],
    ["a callback in their place", () => {}, /the answer comes as a promise, not by callback/],
    ["null", null, /the options of a call are null/],
    ["an array", [], /the options of a call are an object of class Array/],
  ])("refuse %s before anything is sent", async (_name, options, expected) => {
    const { client, stub } = await open(headerEcho, { way });

    const error = await rejection(client.one(A, options as PromiseCallOptions));

    expect(error).toMatchObject({ reason: "CONFIG_INVALID", processed: "no" });
    expect(error.details).toMatch(expected);
    expect(error.details).toMatch(/^promises: /);
    if (!Array.isArray(options)) {
      expect(() => client.list(A, options as PromiseCallOptions)).toThrowError(expected);
    }
    expect(stub.getChannel().getConnectivityState(false)).toBe(grpc.connectivityState.IDLE);
  });

  it("refuse metadata that cannot be sent", async () => {
    const { client } = await open(headerEcho, { way });

    const error = await rejection(client.one(A, { metadata: { "no spaces": "1" } }));

    expect(error).toMatchObject({ reason: "METADATA_INVALID", processed: "no" });
    expect(error.details).toContain('"no spaces"');
  });

  it.each([
    [1, "a number"],
    [undefined, "undefined"],
    [["1", null], "null"],
    [{}, "an object of class Object"],
  ])("refuse %j as a value of metadata, which grpc-js would send as its text", async (value, said) => {
    const { client } = await open(headerEcho, { way });

    const error = await rejection(client.one(A, { metadata: { x: value as never } }));

    expect(error).toMatchObject({ reason: "METADATA_INVALID", processed: "no" });
    expect(error.details).toContain(`"x" cannot be sent: a value is ${said}; allowed: a string or a Buffer`);
  });

  it.each([[undefined], [5], ["text"], [{}]])("refuse requests that are %s", async (requests) => {
    const { client } = await open({}, { way });

    const error = await rejection(client.upload(requests as never));

    expect(error).toMatchObject({ reason: "CONFIG_INVALID" });
    expect(error.details).toMatch(/the requests are .*; allowed: an iterable or async iterable/);
  });
});

describe("settings that are remembered", () => {
  it("are parsed once for equal values, however often they are written down", () => {
    const read = rememberedSettings();

    const first = read({ timeoutMs: 500, idempotent: true });

    expect(read({ timeoutMs: 500, idempotent: true, onStatus: () => {} })).toBe(first);
    expect(read({ timeoutMs: 500, idempotent: false })).not.toBe(first);
    expect(read({ timeoutMs: 501, idempotent: true })).not.toBe(first);
    expect(read({ timeoutMs: 500 })).not.toBe(first);
  });

  it("are forgotten when there are too many, so that a timeout of its own per call costs no memory", () => {
    const read = rememberedSettings();
    const first = read({ timeoutMs: 500 });

    for (let timeoutMs = 1_000; timeoutMs < 2_000; timeoutMs++) read({ timeoutMs });

    expect(read({ timeoutMs: 500 })).not.toBe(first);
  });

  it("are none for values that are refused, and none for objects, which may change", () => {
    const read = rememberedSettings();
    const retry = { maxAttempts: 2 };

    expect(() => read({ timeoutMs: "500" as never })).toThrowError(/timeoutMs is "500"/);
    expect(() => read({ timeoutMs: "500" as never })).toThrowError(/timeoutMs is "500"/);
    expect(read({ retry })).not.toBe(read({ retry }));
  });
});
