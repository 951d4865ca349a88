import { Metadata } from "@grpc/grpc-js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PUSHBACK_KEY, parsePushback } from "../../src/retry/pushback.js";

describe("the server's pushback", () => {
  it("R23: is read under gRPC's own key", () => {
    const trailers = new Metadata();
    trailers.set("grpc-retry-pushback-ms", "250");

    const pushback = parsePushback(trailers.get(PUSHBACK_KEY));

    expect(pushback).toEqual({ kind: "after", ms: 250 });
  });

  it("R23: says nothing when it is absent", () => {
    expect(parsePushback([])).toEqual({ kind: "none" });
  });

  it.each([
    ["0", 0],
    ["1", 1],
    ["007", 7],
    ["2147483647", 2_147_483_647],
    ["-0", 0],
  ])("R25: asks for a retry after %s ms", (text, ms) => {
    expect(parsePushback([text])).toEqual({ kind: "after", ms });
  });

  it.each([
    "-1",
    "-2147483648",
    "",
    "soon",
    "12abc",
    "1.5",
    "1e3",
    "0x10",
    "+5",
    " 5",
    "5\n",
    "Infinity",
    "NaN",
    "٣",
    "2147483648",
    "-2147483649",
    "99999999999999999999",
  ])("R24: forbids a retry with %j", (text) => {
    expect(parsePushback([text])).toEqual({ kind: "stop" });
  });

  it("R24: forbids a retry when the server sent two values", () => {
    expect(parsePushback(["10", "20"])).toEqual({ kind: "stop" });
  });

  it("R23: reads the bytes of a buffer as text", () => {
    expect(parsePushback([Buffer.from("40")])).toEqual({ kind: "after", ms: 40 });
  });

  it("R24, R25: reads every int32 as itself, and forbids a retry when anything else is beside it", () => {
    const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    const noise = fc.constantFrom("a", " ", ".", ",", "ms", "+", "\n", "\0", "é");
    fc.assert(
      fc.property(int32, noise, (ms, stray) => {
        const asked = parsePushback([String(ms)]);

        expect(asked).toEqual(ms < 0 ? { kind: "stop" } : { kind: "after", ms });
        expect(parsePushback([`${ms}${stray}`])).toEqual({ kind: "stop" });
        expect(parsePushback([`${stray}${ms}`])).toEqual({ kind: "stop" });
      }),
    );
  });
});
